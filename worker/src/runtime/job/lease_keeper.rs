//! Keeps the leases of what is in this process's hands.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Receipt, Settled};
use tokio::time::Instant;

use crate::runtime::job::running::Job;
use crate::runtime::queue_runtime::QueueRuntime;

/// Extends leases of one queue, in batches, when a third of them has passed. Never returns.
pub(crate) async fn run(queue: Arc<QueueRuntime>) {
    let limits = queue.shared.connection.backend().queues.limits();
    let batch_max = limits.batch_max.get() as usize;
    loop {
        tokio::time::sleep(queue.lease / 12).await;
        let Some(third_ago) = Instant::now().checked_sub(queue.lease / 3) else {
            continue;
        };
        let due = queue.running.granted_before(third_ago);
        for jobs in due.chunks(batch_max) {
            extend(&queue, jobs).await;
        }
    }
}

/// Whether a job that is about to start is still this worker's. One that waited longer than its
/// lease, because the process was stopped or starved, asks the store first: another process may
/// have it, or have done it.
pub(crate) async fn holds(queue: &QueueRuntime, job: &Arc<Job>) -> bool {
    let waited = Instant::now().saturating_duration_since(job.context.state.granted());
    if waited >= queue.lease {
        extend(queue, std::slice::from_ref(job)).await;
    }
    !job.context.lease_lost()
}

async fn extend(queue: &QueueRuntime, jobs: &[Arc<Job>]) {
    let receipts: Vec<Receipt> = jobs
        .iter()
        .map(|job| job.context.delivery.receipt.clone())
        .collect();
    let connection = &queue.shared.connection;
    let store = &connection.backend().queues;
    let started = Instant::now();
    // A call that takes longer than this would leave no time for another before the end.
    let allowed = connection.call_timeout().min(queue.lease / 3);
    let call = store.extend(&queue.name, &receipts, queue.lease);
    let answer = tokio::time::timeout(allowed, call).await;
    queue.meters().store_call("extend", started.elapsed());
    match answer {
        Ok(Ok(outcomes)) if outcomes.len() == jobs.len() => {
            for (job, outcome) in jobs.iter().zip(&outcomes) {
                if *outcome == Settled::Applied {
                    job.context.state.extended(started);
                } else {
                    lose(queue, job, "another delivery has it");
                }
            }
        }
        Ok(Ok(_)) => lose_overdue(queue, jobs, "the store answered for other receipts"),
        Ok(Err(error)) => lose_overdue(queue, jobs, &error.to_string()),
        Err(_) => lose_overdue(queue, jobs, &format!("no answer in {allowed:?}")),
    }
}

/// The store was not reached. A lease that has surely ended meanwhile is as good as lost.
fn lose_overdue(queue: &QueueRuntime, jobs: &[Arc<Job>], why: &str) {
    tracing::warn!(queue = %queue.name, leases = jobs.len(), why, "leases were not extended");
    let now = Instant::now();
    for job in jobs {
        let over: Duration = now.saturating_duration_since(job.context.state.granted());
        if over >= queue.lease {
            lose(queue, job, why);
        }
    }
}

/// Ends a job whose message another process may have.
fn lose(queue: &QueueRuntime, job: &Job, why: &str) {
    // A job that ended meanwhile is settled, and its receipt is stale for that reason.
    if !queue.running.contains(job) || job.context.lease_lost() {
        return;
    }
    queue.shared.counters.lease_lost.add(1);
    queue.meters().lease_lost.increment(1);
    let message = &job.context.delivery.message;
    tracing::warn!(id = %message.id, queue = %queue.name, kind = %message.kind, why, "lease lost; the job is cancelled");
    job.context.state.lose();
    job.context.cancel.cancel();
}
