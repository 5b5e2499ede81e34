//! Working one message at a time, with nothing running beside.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Disposition, MessageId, Receive, Result, Settlement};

use super::Ran;
use crate::hooks::Hooks;
use crate::runtime::{Fate, QueueRuntime, conclude, execute, refuse};

/// Receives one due message, works it and settles it. `None` if nothing is due.
pub(super) async fn step(queue: &Arc<QueueRuntime>) -> Result<Option<(MessageId, Ran)>> {
    let store = &queue.shared.connection.backend().queues;
    let request = Receive {
        batch_max: NonZeroU32::MIN,
        lease: queue.lease,
        wait_max: Duration::ZERO,
    };
    let received = store.receive(&queue.name, request).await?;
    let Some(delivery) = received.deliveries.into_iter().next() else {
        return Ok(None);
    };
    let (id, receipt) = (delivery.message.id, delivery.receipt.clone());
    let (ran, disposition) = match queue.entry(&delivery.message.kind).cloned() {
        None => {
            let delay = queue.unserved.unserved_delay(delivery.message.id);
            (Ran::Unserved, release_after(delay))
        }
        Some(entry) => {
            let policy = &entry.options.policy;
            let refused = policy.refuses(delivery.attempt, delivery.vanished());
            let job = queue.adopt(delivery, &entry, tokio::time::Instant::now());
            let conclusion = if let Some(reason) = refused {
                refuse(queue, &job, reason).await
            } else {
                let _ = job.started_at.set(queue.shared.connection.clock().now());
                let ended = execute(
                    &*entry.processor,
                    entry.options.timeout,
                    &job.context,
                    &queue.shared.phases,
                )
                .await;
                conclude(queue, &job, ended).await
            };
            queue.running.remove(&job);
            tell(&queue.shared.hooks, &conclusion.fate);
            (Ran::of(&conclusion), conclusion.disposition)
        }
    };
    let settlement = Settlement {
        receipt,
        disposition,
    };
    store.settle(&queue.name, &[settlement]).await?;
    Ok(Some((id, ran)))
}

fn release_after(delay: Duration) -> Disposition {
    Disposition::Release {
        due: Some(longshore_core::Due::In(delay)),
        checkpoint: None,
    }
}

fn tell(hooks: &Hooks, fate: &Fate) {
    match fate {
        Fate::Retried(event) => hooks.retried(event),
        Fate::Dead(event) => hooks.dead(event),
        Fate::Acked | Fate::Released | Fate::Unserved => {}
    }
}
