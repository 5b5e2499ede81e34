//! Keeps leases alive while messages wait for their turn or are worked.

use std::collections::BTreeSet;
use std::time::Duration;

use longshore::Connection;
use longshore::core::{QueueName, Receipt, Settled};
use tokio::time::{Interval, MissedTickBehavior, interval_at};

/// The leases of a batch.
#[derive(Debug)]
pub(super) struct Keeper {
    connection: Connection,
    queue: QueueName,
    lease: Duration,
    held: BTreeSet<Receipt>,
    lost: BTreeSet<Receipt>,
    beat: Interval,
}

impl Keeper {
    /// Keeps these; the first extension is due after a third of the lease.
    pub(super) fn new(
        connection: &Connection,
        queue: &QueueName,
        lease: Duration,
        receipts: impl IntoIterator<Item = Receipt>,
    ) -> Self {
        let third = lease / 3;
        let mut beat = interval_at(tokio::time::Instant::now() + third, third);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            connection: connection.clone(),
            queue: queue.clone(),
            lease,
            held: receipts.into_iter().collect(),
            lost: BTreeSet::new(),
            beat,
        }
    }

    /// Stops keeping one: it is settled.
    pub(super) fn drop_one(&mut self, receipt: &Receipt) {
        self.held.remove(receipt);
    }

    /// Whether the lease of one is surely lost.
    pub(super) fn has_lost(&self, receipt: &Receipt) -> bool {
        self.lost.contains(receipt)
    }

    /// Extends the leases whenever it is time, until the one of `receipt` is lost. Dropping the
    /// future loses nothing.
    pub(super) async fn keep_until_lost(&mut self, receipt: &Receipt) {
        while !self.has_lost(receipt) {
            self.beat.tick().await;
            self.extend().await;
        }
    }

    async fn extend(&mut self) {
        let receipts: Vec<Receipt> = self.held.iter().cloned().collect();
        let queues = &self.connection.backend().queues;
        match queues.extend(&self.queue, &receipts, self.lease).await {
            Ok(outcomes) => {
                for (receipt, outcome) in receipts.into_iter().zip(outcomes) {
                    if outcome != Settled::Applied {
                        self.held.remove(&receipt);
                        self.lost.insert(receipt);
                    }
                }
            }
            // There are two more beats before the leases end.
            Err(error) => tracing::warn!(%error, "leases could not be extended; trying again"),
        }
    }
}
