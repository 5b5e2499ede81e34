//! The fetch loop of a queue: as much as there are free slots, never more.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Receive, Received, Result, StoreError};
use tokio::time::Instant;
use tracing::Instrument;

use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::receive::backoff::{ReceiveErrors, is_final};
use crate::runtime::receive::dispatch::hand_out;
use crate::runtime::receive::slots::Slots;
use crate::spans;

/// While the loop waits for something it shows that it is alive this often.
const BEAT: Duration = Duration::from_secs(5);
/// How often the loop lets other tasks run, to fetch for more slots at once.
const GATHER_TURNS: usize = 2;
/// An empty answer that came sooner than this although it was asked to wait: the store was woken
/// for nothing, and must not be asked again at once forever.
const EARLY: Duration = Duration::from_millis(10);
/// Where slots are fewer than queues an idle queue must not sit on one: it looks, then sleeps.
const SCARCE_PAUSE: Duration = Duration::from_millis(100);

/// Receives and hands out until the worker stops. An error is one that waiting cannot mend.
pub(crate) async fn run(queue: Arc<QueueRuntime>) -> Result<()> {
    let _closes = queue.intake_closed.clone().drop_guard();
    let mut errors = ReceiveErrors::default();
    let mut idle = false;
    while let Some(slots) = free_slots(&queue, idle).await {
        let Some(turn) = patiently(&queue, queue.shared.gate.enter()).await else {
            break;
        };
        let asked = Instant::now();
        match receive(&queue, &slots, idle).await {
            Ok(received) => {
                errors.succeeded();
                let is_early = idle && asked.elapsed() < EARLY;
                idle = received.deliveries.is_empty();
                hand_out(&queue, received, asked, slots, turn).await;
                if idle && is_scarce(&queue) {
                    patiently(&queue, tokio::time::sleep(SCARCE_PAUSE)).await;
                } else if idle && is_early {
                    patiently(&queue, tokio::time::sleep(EARLY)).await;
                }
            }
            Err(error) if is_final(&error) => return Err(error),
            Err(error) => {
                drop((slots, turn));
                wait_after(&queue, &mut errors, &error).await;
            }
        }
    }
    Ok(())
}

async fn wait_after(queue: &QueueRuntime, errors: &mut ReceiveErrors, error: &StoreError) {
    queue.shared.counters.receive_errors.add(1);
    metrics::counter!("longshore_store_errors_total", "kind" => error.kind().as_str()).increment(1);
    let pause = errors.failed(error);
    if errors.is_worth_a_line() {
        tracing::warn!(queue = %queue.name, kind = error.kind().as_str(), %error, ?pause, "receive failed; backing off");
    }
    patiently(queue, tokio::time::sleep(pause)).await;
}

/// Waits for free slots; `None` when the worker stops.
async fn free_slots(queue: &QueueRuntime, idle: bool) -> Option<Slots> {
    let (of_worker, of_queue) = (&queue.shared.slots, &queue.slots);
    // An idle queue waits for work with one slot only, so that the others get the rest.
    let at_most = if idle && queue.shared.queue_count > 1 {
        1
    } else {
        batch_max(queue)
    };
    let wait = Slots::acquire(of_worker, of_queue, at_most);
    let mut slots = patiently(queue, wait).await??;
    for _ in 0..GATHER_TURNS {
        if slots.count() >= at_most || queue.running.count() == 0 {
            break;
        }
        tokio::task::yield_now().await;
        slots.grow(of_worker, of_queue, at_most);
    }
    Some(slots)
}

fn batch_max(queue: &QueueRuntime) -> usize {
    let limits = queue.shared.connection.backend().queues.limits();
    queue.concurrency.min(limits.batch_max.get() as usize)
}

fn is_scarce(queue: &QueueRuntime) -> bool {
    queue.shared.concurrency < queue.shared.queue_count
}

/// Nobody races this call: dropped half-way it could leave messages leased to nobody.
async fn receive(queue: &QueueRuntime, slots: &Slots, idle: bool) -> Result<Received> {
    queue.beat();
    let count = u32::try_from(slots.count()).unwrap_or(u32::MAX);
    let request = Receive {
        batch_max: NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN),
        lease: queue.lease,
        wait_max: if idle && !is_scarce(queue) {
            queue.shared.idle_wait
        } else {
            Duration::ZERO
        },
    };
    let started = Instant::now();
    let store = &queue.shared.connection.backend().queues;
    let span = spans::receive(&queue.name);
    let call = store.receive(&queue.name, request);
    let answer = call.instrument(span.clone()).await;
    if let Ok(received) = &answer {
        span.record("messaging.batch.message_count", received.deliveries.len());
    }
    queue.meters().store_call("receive", started.elapsed());
    queue.beat();
    answer
}

/// Waits for `what`, showing a sign of life; `None` when the worker stops first.
async fn patiently<T>(queue: &QueueRuntime, what: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(what);
    loop {
        queue.beat();
        tokio::select! {
            biased;
            () = queue.shared.phases.stop.cancelled() => return None,
            answer = &mut what => return Some(answer),
            () = tokio::time::sleep(BEAT) => {}
        }
    }
}
