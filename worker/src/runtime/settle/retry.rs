//! Settling a batch, round after round while the store is away.

use std::ops::Range;
use std::time::Duration;

use longshore_core::{Effect, Result, Settled, Settlement, StoreError, StoreErrorKind};
use tokio::time::Instant;
use tracing::Instrument;

use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::settle::conclusion::Fate;
use crate::runtime::settle::handle::Note;
use crate::spans;

/// The first pause between rounds is at most this long, later ones up to twice as long each.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Beyond its own deadline a store call is given this much.
const GRACE: Duration = Duration::from_secs(5);

/// Settlements and what goes with each, at the same place.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) settlements: Vec<Settlement>,
    pub(crate) notes: Vec<Note>,
}

/// Settles a batch and empties it. A store that is away is asked again until each lease has
/// surely ended: only then is finished work given up, with a warning and a count.
pub(crate) async fn settle_all(queue: &QueueRuntime, batch: &mut Batch) {
    let mut round = 0_u32;
    let mut apart = false;
    while !batch.settlements.is_empty() {
        let Some(error) = settle_round(queue, batch, apart).await else {
            return;
        };
        if round == 0 {
            tracing::warn!(queue = %queue.name, batch = batch.settlements.len(), %error, "settle failed; repeating it until the leases end");
        }
        // A call refused for one bad item must not take the others along.
        apart = apart || !error.is_retryable();
        drop_overdue(queue, batch, &error);
        if !batch.settlements.is_empty() {
            let pause = PAUSE.saturating_mul(1 << round.min(6)).min(PAUSE_MAX);
            tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
        }
        round += 1;
    }
}

/// One try for all, or one for each. What was answered leaves the batch; the last error is told.
async fn settle_round(queue: &QueueRuntime, batch: &mut Batch, apart: bool) -> Option<StoreError> {
    let mut failed = None;
    let mut start = 0;
    while start < batch.settlements.len() {
        let end = if apart {
            start + 1
        } else {
            batch.settlements.len()
        };
        match call(queue, &batch.settlements[start..end]).await {
            Ok(outcomes) => note_outcomes(queue, batch, start..end, &outcomes),
            Err(error) => {
                for note in &mut batch.notes[start..end] {
                    note.maybe_applied |= error.effect() == Effect::Unknown;
                }
                failed = Some(error);
                start = end;
            }
        }
    }
    failed
}

async fn call(queue: &QueueRuntime, settlements: &[Settlement]) -> Result<Vec<Settled>> {
    let connection = &queue.shared.connection;
    let started = Instant::now();
    let call = connection.backend().queues.settle(&queue.name, settlements);
    let call = call.instrument(spans::settle(&queue.name, settlements.len()));
    let answer = tokio::time::timeout(connection.call_timeout() + GRACE, call)
        .await
        .unwrap_or_else(|_| Err(no_answer()));
    queue.meters().store_call("settle", started.elapsed());
    match answer {
        // Fewer answers than questions: what became of the rest is unknown.
        Ok(outcomes) if outcomes.len() != settlements.len() => Err(no_answer()),
        other => other,
    }
}

fn no_answer() -> StoreError {
    StoreError::new(
        StoreErrorKind::Timeout,
        "settle",
        "the store gave no full answer",
    )
    .effect_unknown()
}

fn note_outcomes(
    queue: &QueueRuntime,
    batch: &mut Batch,
    range: Range<usize>,
    outcomes: &[Settled],
) {
    batch.settlements.drain(range.clone());
    for (note, outcome) in batch.notes.drain(range).zip(outcomes) {
        if *outcome == Settled::Applied || note.maybe_applied {
            applied(queue, &note);
        } else {
            queue.shared.counters.lease_lost.add(1);
            queue.meters().lease_lost.increment(1);
            tracing::warn!(queue = %queue.name, "a delivery was settled too late: its lease was lost and the message is delivered again");
        }
    }
}

fn applied(queue: &QueueRuntime, note: &Note) {
    let counters = &queue.shared.counters;
    let meters = note.entry.as_ref().map(|entry| entry.meters());
    match &note.fate {
        Fate::Acked => {
            counters.acked.add(1);
            meters.inspect(|meters| meters.acked.increment(1));
        }
        Fate::Retried(event) => {
            counters.retried.add(1);
            meters.inspect(|meters| meters.retried.increment(1));
            let failed = &event.attempt;
            tracing::info!(id = %failed.id, queue = %failed.queue, kind = %failed.kind, attempt = failed.attempt, label = %failed.label, error = failed.error.as_str(), delay = ?event.delay, "attempt failed; trying again");
            queue.shared.hooks.retried(event);
        }
        Fate::Dead(event) => {
            counters.dead.add(1);
            meters.inspect(|meters| meters.dead.increment(1));
            let failed = &event.attempt;
            tracing::error!(id = %failed.id, queue = %failed.queue, kind = %failed.kind, attempts = failed.attempt, reason = event.reason.as_str(), label = %failed.label, error = failed.error.as_str(), "message dead-lettered");
            queue.shared.hooks.dead(event);
        }
        Fate::Released => {
            counters.released.add(1);
            meters.inspect(|meters| meters.released.increment(1));
        }
        Fate::Unserved => {
            counters.released.add(1);
            counters.unserved.add(1);
            queue.meters().unserved.increment(1);
        }
    }
}

fn drop_overdue(queue: &QueueRuntime, batch: &mut Batch, error: &StoreError) {
    let now = Instant::now();
    let mut dropped = 0;
    let mut index = 0;
    while index < batch.notes.len() {
        if batch.notes[index].lease_over <= now {
            batch.notes.swap_remove(index);
            batch.settlements.swap_remove(index);
            dropped += 1;
        } else {
            index += 1;
        }
    }
    if dropped > 0 {
        queue.shared.counters.dropped.add(dropped);
        tracing::warn!(queue = %queue.name, dropped, %error, "settlements were given up: the store did not take them before the leases ended, so the messages come back");
    }
}
