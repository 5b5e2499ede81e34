//! What becomes of what was received.

use std::sync::Arc;

use longshore_core::{DeadReason, Delivery, Disposition, Due, Received, Settlement};
use tokio::time::Instant;

use crate::runtime::entry::Entry;
use crate::runtime::job::outcome::refuse;
use crate::runtime::job::running::Job;
use crate::runtime::job::task;
use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::receive::quarantine::{SuspectWaits, Turn};
use crate::runtime::receive::slots::Slots;
use crate::runtime::settle::conclusion::{Conclusion, Fate};
use crate::runtime::settle::handle::Note;

/// A message is a suspect after this many deliveries in a row that ended without a settle.
const SUSPECT_VANISHED: u32 = 2;

/// Starts, refuses or gives back each delivery of a receive.
pub(crate) async fn hand_out(
    queue: &Arc<QueueRuntime>,
    received: Received,
    asked: Instant,
    mut slots: Slots,
    turn: Turn,
) {
    note_received(queue, &received);
    let mut give_back_all = queue.shared.phases.is_stopping() || queue.shared.gate.suspect_waits();
    let mut ready = Vec::with_capacity(received.deliveries.len());
    let mut suspect = None;
    for delivery in received.deliveries {
        let Some(entry) = queue.entry(&delivery.message.kind).cloned() else {
            release_unserved(queue, &delivery).await;
            continue;
        };
        let vanished = delivery.vanished();
        let refused = entry.options.policy.refuses(delivery.attempt, vanished);
        let job = queue.adopt(delivery, &entry, asked);
        if let Some(reason) = refused {
            settle_unrun(queue, &job, reason).await;
        } else if vanished >= SUSPECT_VANISHED && suspect.is_none() && !give_back_all {
            suspect = Some(job);
            give_back_all = true;
        } else {
            ready.push(job);
        }
    }
    if give_back_all {
        for job in ready.drain(..) {
            task::give_back(queue, &job).await;
        }
    }
    for job in ready {
        match slots.take_one() {
            Some(slot) => {
                let task = task::run(queue.clone(), job, slot, turn.clone());
                queue.shared.jobs.spawn(task);
            }
            // More than was asked for.
            None => task::give_back(queue, &job).await,
        }
    }
    if let Some(job) = suspect
        && let Some(slot) = slots.take_one()
    {
        let waits = queue.shared.gate.announce_suspect();
        let task = run_alone(queue.clone(), job, slot, waits);
        queue.shared.jobs.spawn(task);
    }
    drop(turn);
}

fn note_received(queue: &QueueRuntime, received: &Received) {
    let count = received.deliveries.len() as u64;
    if count > 0 {
        queue.shared.counters.received.add(count);
        queue.meters().received.increment(count);
        let again = received.deliveries.iter().filter(|d| d.attempt > 1).count();
        queue.meters().redelivered.increment(again as u64);
        note_taken_over(queue, received);
    }
    if received.set_aside > 0 {
        tracing::warn!(queue = %queue.name, rows = received.set_aside, "rows were set aside: damaged ones lie in the dead letters, newer ones wait for a newer worker");
    }
}

/// Says that messages are worked again whose last delivery nobody settled.
fn note_taken_over(queue: &QueueRuntime, received: &Received) {
    let mut vanished = received.deliveries.iter().filter(|one| one.vanished() > 0);
    let Some(first) = vanished.next() else {
        return;
    };
    let messages = 1 + vanished.count();
    tracing::info!(queue = %queue.name, messages, first = %first.message.id, "taken over from a worker that died, or whose leases ended");
}

async fn release_unserved(queue: &QueueRuntime, delivery: &Delivery) {
    let message = &delivery.message;
    let delay = queue.unserved.unserved_delay(message.id);
    tracing::debug!(id = %message.id, queue = %queue.name, kind = %message.kind, ?delay, "no handler takes this kind; releasing it");
    let settlement = Settlement {
        receipt: delivery.receipt.clone(),
        disposition: Disposition::Release {
            due: Some(Due::In(delay)),
            checkpoint: None,
        },
    };
    let note = Note {
        fate: Fate::Unserved,
        entry: None::<Arc<Entry>>,
        lease_over: Instant::now() + queue.lease,
        maybe_applied: false,
    };
    queue.settler.send(settlement, note).await;
}

async fn settle_unrun(queue: &QueueRuntime, job: &Job, reason: DeadReason) {
    let conclusion: Conclusion = refuse(queue, job, reason).await;
    queue.running.remove(job);
    queue.settler.settle(queue.lease, job, conclusion).await;
}

/// Runs a suspect when nothing else of this worker runs or waits to be settled, so that a crash
/// is charged to it alone.
async fn run_alone(queue: Arc<QueueRuntime>, job: Arc<Job>, slot: Slots, waits: SuspectWaits) {
    let shared = &queue.shared;
    let message = &job.context.delivery.message;
    tracing::warn!(id = %message.id, queue = %queue.name, kind = %message.kind, vanished = job.context.delivery.vanished(), "a message whose deliveries keep vanishing runs alone");
    let all_quiet = async {
        let alone = shared.gate.alone().await;
        for settler in shared.settlers.get().into_iter().flatten() {
            settler.flush().await;
        }
        alone
    };
    let alone = tokio::select! {
        biased;
        () = job.context.cancel.cancelled() => None,
        () = shared.phases.stop.cancelled() => None,
        alone = all_quiet => Some(alone),
    };
    drop(waits);
    // Without the gate the worker stops or the lease is lost: the task sees which.
    task::run(queue.clone(), job, slot, alone).await;
}
