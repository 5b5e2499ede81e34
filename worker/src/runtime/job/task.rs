//! The task of one delivery: from its slot to its settle.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracing::Instrument;

use crate::runtime::job::execute::{Ended, execute};
use crate::runtime::job::lease_keeper;
use crate::runtime::job::outcome::conclude;
use crate::runtime::job::running::Job;
use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::receive::slots::Slots;
use crate::runtime::settle::conclusion::Conclusion;
use crate::spans;

/// At the end of the drain what a job left running is given this long to end: a program has 5 s
/// between TERM and KILL.
const HELD_GRACE: Duration = Duration::from_secs(6);

/// Works a delivery. `turn` is kept until it is done: nobody's suspect runs meanwhile.
pub(crate) async fn run<T: Send>(queue: Arc<QueueRuntime>, job: Arc<Job>, slot: Slots, turn: T) {
    let off_list = OffList {
        queue: &queue,
        job: &job,
    };
    match ready(&queue, &job).await {
        Ready::Start(_permit) if lease_keeper::holds(&queue, &job).await => {
            work(&queue, &job).await;
        }
        Ready::Start(_) | Ready::Gone => queue.running.remove(&job),
        Ready::MakeWay => give_back(&queue, &job).await,
        Ready::Release => {
            // Given back earlier, it might be received once more by the call under way.
            queue.intake_closed.cancelled().await;
            give_back(&queue, &job).await;
        }
    }
    drop(off_list);
    drop(slot);
    drop(turn);
}

/// However a task ends, its delivery leaves the list of those whose leases are kept: one that
/// stayed would be nobody's and leased forever.
struct OffList<'a> {
    queue: &'a QueueRuntime,
    job: &'a Job,
}

impl Drop for OffList<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let id = self.job.context.delivery.message.id;
            tracing::error!(%id, queue = %self.queue.name, "the worker's own code panicked beside a job; its message comes back when its lease ends");
        }
        self.queue.running.remove(self.job);
    }
}

/// Whether a delivery can be started.
enum Ready {
    Start(Option<OwnedSemaphorePermit>),
    /// The worker stops; this one was not started.
    Release,
    /// A suspect waits to run alone; this one was not started.
    MakeWay,
    /// Its lease was lost while it waited.
    Gone,
}

async fn ready(queue: &QueueRuntime, job: &Job) -> Ready {
    let phases = &queue.shared.phases;
    if phases.halt.is_cancelled() {
        return Ready::Gone;
    }
    if phases.is_stopping() {
        return Ready::Release;
    }
    let Some(permits) = &job.entry.permits else {
        return Ready::Start(None);
    };
    if let Ok(permit) = permits.clone().try_acquire_owned() {
        return Ready::Start(Some(permit));
    }
    tokio::select! {
        biased;
        () = job.context.cancel.cancelled() => Ready::Gone,
        () = phases.stop.cancelled() => Ready::Release,
        () = queue.shared.gate.suspect_announced() => Ready::MakeWay,
        permit = permits.clone().acquire_owned() => Ready::Start(permit.ok()),
    }
}

/// Puts a delivery back that was not started: uncharged, at its old place.
pub(crate) async fn give_back(queue: &QueueRuntime, job: &Job) {
    queue.running.remove(job);
    let checkpoint = job.context.state.checkpoint_set();
    let conclusion = Conclusion::release(None, checkpoint);
    queue.settler.settle(queue.lease, job, conclusion).await;
}

async fn work(queue: &QueueRuntime, job: &Job) {
    let context = &job.context;
    let now = queue.shared.connection.clock().now();
    let message = &context.delivery.message;
    let meters = job.entry.meters();
    meters.wait.record(now.since(message.due_at));
    // Set once: this is the only place that starts a job.
    let _ = job.started_at.set(now);
    let attempt = context.delivery.attempt;
    let route = job.entry.options.name.as_str();
    let span = spans::process(&queue.name, message.id, &message.kind, attempt, route);
    let started = Instant::now();
    let ended = execute(
        &*job.entry.processor,
        job.entry.options.timeout,
        context,
        &queue.shared.phases,
    )
    .instrument(span)
    .await;
    meters.duration.record(started.elapsed());
    finish(queue, job, ended).await;
}

async fn finish(queue: &QueueRuntime, job: &Job, ended: Ended) {
    match ended {
        // A job that was not seen to end keeps its lease to the end.
        Ended::Halted => queue.running.remove(job),
        Ended::LeaseLost => {
            queue.running.remove(job);
            unheld(queue, job).await;
        }
        Ended::Interrupted => {
            let gone = tokio::time::timeout(HELD_GRACE, job.context.state.unheld());
            let message = &job.context.delivery.message;
            if gone.await.is_ok() {
                give_back(queue, job).await;
                tracing::info!(id = %message.id, queue = %queue.name, "the job was ended and its message given back");
            } else {
                queue.running.remove(job);
                tracing::warn!(id = %message.id, queue = %queue.name, lease = ?queue.lease, "the job cannot be ended; its message comes back when its lease has ended");
            }
        }
        ended => settle(queue, job, ended).await,
    }
}

async fn settle(queue: &QueueRuntime, job: &Job, ended: Ended) {
    let grouped = job.context.delivery.message.group.is_some();
    // The successor must not run beside what this one left running.
    if grouped && !unheld(queue, job).await {
        queue.running.remove(job);
        return;
    }
    let conclusion = conclude(queue, job, ended).await;
    queue.running.remove(job);
    queue.settler.settle(queue.lease, job, conclusion).await;
    unheld(queue, job).await;
}

/// Waits until nothing of the job runs any more; `false` if the worker exits first.
async fn unheld(queue: &QueueRuntime, job: &Job) -> bool {
    if !job.context.state.is_held() {
        return true;
    }
    tokio::select! {
        () = job.context.state.unheld() => true,
        () = queue.shared.phases.interrupt.cancelled() => {
            tokio::time::timeout(HELD_GRACE, job.context.state.unheld()).await.is_ok()
        }
    }
}
