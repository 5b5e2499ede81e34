//! Steps of an owner from begin to end, for tests that have no task beside them.

use std::sync::Arc;

use longshore_core::{Received, Result, Timestamp};
use uuid::Uuid;

use crate::protocol::hybrid_clock::Hybrid;
use crate::protocol::storage::Storage;
use crate::shard::lease::Order;
use crate::shard::load::window::Window;
use crate::shard::{Shard, redelivery};

impl Shard {
    /// Reads a shard as its owner does.
    pub(crate) async fn load(
        storage: Arc<dyn Storage>,
        queue: Uuid,
        number: i32,
        hybrid: Arc<Hybrid>,
        now: Timestamp,
    ) -> Result<Self> {
        let mut shard = Self::unread(storage, queue, number, hybrid, Window::OWNER);
        shard.begin(now).await?;
        Ok(shard)
    }

    /// Leases messages that are ready. They are handed out once that is written.
    pub(crate) async fn hand_out(&mut self, order: &Order, now: Timestamp) -> Result<Received> {
        let begun = self.begin_hand_out(order, now).await?;
        if let Some(write) = begun.write {
            write.complete().await?;
        }
        let mut received = begun.received;
        redelivery::withdraw(&*self.storage, &mut received, &begun.again).await;
        Ok(received)
    }

    /// Goes on with the looks for what came late, the scans of closed buckets, and deleting those
    /// that are settled. Answers whether there may be more to do.
    pub(crate) async fn scan_next(&mut self, now: Timestamp) -> Result<bool> {
        let Some(scan) = self.next_scan(now).await? else {
            return Ok(false);
        };
        let looked = scan.look(&*self.storage).await?;
        self.apply_scan(scan, looked, now).await?;
        Ok(true)
    }
}
