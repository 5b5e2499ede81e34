//! Steps of an owner from begin to end, for tests that have no task beside them.

use std::sync::Arc;

use longshore_core::{Received, Result, Timestamp};
use uuid::Uuid;

use crate::protocol::hybrid_clock::Hybrid;
use crate::protocol::storage::Rows;
use crate::shard::lease::Order;
use crate::shard::load::window::Window;
use crate::shard::{Shard, redelivery};

impl Shard {
    /// Reads a shard as its owner does.
    pub(crate) async fn load(
        rows: Arc<dyn Rows>,
        queue: Uuid,
        number: i32,
        hybrid: Arc<Hybrid>,
        now: Timestamp,
    ) -> Result<Self> {
        let mut shard = Self::unread(rows, queue, number, hybrid, Window::OWNER);
        shard.begin(now).await?;
        Ok(shard)
    }

    /// Leases messages that are ready. They are handed out once that is written.
    pub(crate) async fn hand_out(&mut self, order: &Order, now: Timestamp) -> Result<Received> {
        let begun = self.begin_hand_out(order, now).await?;
        if let Some(flight) = begun.flight {
            flight.land().await?;
        }
        let mut received = begun.received;
        redelivery::withdraw(&*self.rows, &mut received, &begun.again).await;
        Ok(received)
    }

    /// Goes on with the looks for what came late, the scans of closed buckets, and deleting those
    /// that are settled. Answers whether there may be more to do.
    pub(crate) async fn keep_on(&mut self, now: Timestamp) -> Result<bool> {
        let Some(chore) = self.next_chore(now).await? else {
            return Ok(false);
        };
        let looked = chore.look(&*self.rows).await?;
        self.do_chore(chore, looked, now).await?;
        Ok(true)
    }
}
