//! Discards dead letters that are older than their queue keeps them.
//!
//! Every worker of a queue does so: to discard one twice changes nothing, and where no worker runs
//! nothing is lost by waiting.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Changed, MessageId, PageSize, QueueName, Result, Timestamp};
use metrics::counter;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::shared::Shared;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(60);
/// The first time: a worker that is restarted often must get there, too.
const FIRST: Duration = Duration::from_secs(2);

/// Looks again and again. Never returns.
pub(crate) async fn run(shared: Arc<Shared>, queues: Vec<Arc<QueueRuntime>>) {
    let mut look = interval_at(Instant::now() + FIRST, EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        for queue in &queues {
            match tidy(&shared, &queue.name).await {
                Ok(0) => {}
                Ok(discarded) => {
                    let name = queue.name.as_str().to_owned();
                    counter!("longshore_dead_letters_discarded_total", "queue" => name)
                        .increment(discarded);
                    tracing::info!(queue = %queue.name, discarded, "dead letters older than dead_keep were discarded");
                }
                // Waiting mends most; a right that is missing is for a person.
                Err(error) if !error.is_retryable() => {
                    tracing::warn!(queue = %queue.name, %error, "old dead letters cannot be discarded as dead_keep asks");
                }
                Err(error) => {
                    tracing::debug!(queue = %queue.name, %error, "old dead letters could not be discarded; tried again in a minute");
                }
            }
        }
    }
}

/// Discards what is too old, oldest first, and answers how many that were.
async fn tidy(shared: &Shared, queue: &QueueName) -> Result<u64> {
    let backend = shared.connection.backend();
    let Some(keep) = backend.admin.settings(queue).await?.dead_keep() else {
        return Ok(0);
    };
    let now = shared.connection.clock().now();
    let is_old = |dead_at: Timestamp| dead_at.plus(keep) < now;
    let batch_max = backend.queues.limits().batch_max.get() as usize;
    let mut size = PageSize::default();
    let (mut after, mut discarded) = (None, 0);
    loop {
        let page = backend
            .admin
            .dead_letters(queue, after.as_ref(), size.get());
        let page = page.await?;
        size.saw(&page.items);
        let dead = page.items.iter().filter_map(|one| Some((one, one.dead()?)));
        let old: Vec<_> = dead.filter(|(_, mark)| is_old(mark.dead_at)).collect();
        let ids: Vec<MessageId> = old
            .iter()
            // Nobody but a person may let its group go on.
            .filter(|(_, mark)| !mark.parks_group)
            .map(|(one, _)| one.id())
            .collect();
        for part in ids.chunks(batch_max) {
            let outcomes = backend.admin.discard(queue, part).await?;
            let gone = outcomes.iter().filter(|one| **one == Changed::Applied);
            discarded += gone.count() as u64;
        }
        // They come oldest first.
        let is_last = old.len() < page.items.len() || page.next.is_none();
        if is_last {
            return Ok(discarded);
        }
        after = page.next;
    }
}
