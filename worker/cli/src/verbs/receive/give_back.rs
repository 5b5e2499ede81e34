//! Giving leased messages back that nobody will settle.

use longshore::Connection;
use longshore::core::{Delivery, QueueName, Settled, Settlement};

use super::verdict::release;
use crate::error::told;
use crate::output::counted;

/// Releases a batch whose receipts could not be printed, and says what came of it. What the store
/// does not take comes back when its lease ends.
pub(super) async fn unread(
    connection: &Connection,
    queue: &QueueName,
    deliveries: Vec<Delivery>,
) -> String {
    let batch = releases(deliveries);
    let what = counted(batch.len() as u64, "message");
    let outcomes = match connection.backend().queues.settle(queue, &batch).await {
        Ok(outcomes) => outcomes,
        Err(error) => {
            return format!(
                "{what} of queue \"{queue}\" could not be given back, the end of the lease does \
                 that: {}",
                told(&error)
            );
        }
    };
    let lost = outcomes
        .iter()
        .filter(|outcome| **outcome != Settled::Applied)
        .count();
    match lost {
        0 => format!("{what} of queue \"{queue}\" given back uncharged"),
        _ => format!("{what} of queue \"{queue}\" given back, {lost} had lost the lease before"),
    }
}

/// A release, uncharged, of each.
pub(super) fn releases(deliveries: Vec<Delivery>) -> Vec<Settlement> {
    deliveries
        .into_iter()
        .map(|delivery| Settlement {
            receipt: delivery.receipt,
            disposition: release(None),
        })
        .collect()
}
