//! The end of a run: let running jobs end, give back the rest, settle, go.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::shared::Shared;
use crate::runtime::tasks::Tasks;
use crate::worker::RunError;

/// Past the budget, what was interrupted has this long to be given back.
const INTERRUPTED_MAX: Duration = Duration::from_secs(8);
/// However little of the budget is left, finished work has this long to be settled.
const FLUSH_LEAST: Duration = Duration::from_secs(5);
/// At a second signal finished work still has this long.
const HALTED_FLUSH_MAX: Duration = Duration::from_millis(300);

/// Drains within one shared budget. Fetchers have been told to stop. A task that broke meanwhile
/// is told.
pub(crate) async fn drain(
    shared: &Shared,
    queues: &[Arc<QueueRuntime>],
    tasks: &mut Tasks,
) -> Option<RunError> {
    let budget_ends = Instant::now() + shared.drain;
    shared.jobs.close();
    let mut broken = None;
    let all_ended = async {
        broken = tasks.fetched().await;
        shared.jobs.wait().await;
    };
    let ended = tokio::select! {
        () = shared.phases.halt.cancelled() => false,
        ended = timeout_at(budget_ends, all_ended) => ended.is_ok(),
    };
    if !ended && !shared.phases.halt.is_cancelled() {
        interrupt(shared, queues).await;
    }
    let halted = shared.phases.halt.is_cancelled();
    if halted {
        cancel_all(queues);
    }
    let flush_ends = if halted {
        Instant::now() + HALTED_FLUSH_MAX
    } else {
        budget_ends.max(Instant::now() + FLUSH_LEAST)
    };
    broken.or(flush(shared, queues, tasks, flush_ends).await)
}

/// The budget is used up: names what still runs, drops it and gives it back.
async fn interrupt(shared: &Shared, queues: &[Arc<QueueRuntime>]) {
    for queue in queues {
        for job in queue.running.started(usize::MAX) {
            tracing::warn!(id = %job.id, queue = %job.queue, attempt = job.attempt, "the drain budget is used up; the job is being ended");
        }
    }
    shared.phases.interrupt.cancel();
    cancel_all(queues);
    let ended = timeout_at(Instant::now() + INTERRUPTED_MAX, shared.jobs.wait());
    tokio::select! {
        () = shared.phases.halt.cancelled() => {}
        ended = ended => if ended.is_err() {
            tracing::warn!("jobs that cannot be cancelled still run; their leases are left to end");
        }
    }
}

pub(crate) fn cancel_all(queues: &[Arc<QueueRuntime>]) {
    for queue in queues {
        queue.running.cancel_all();
    }
}

async fn flush(
    shared: &Shared,
    queues: &[Arc<QueueRuntime>],
    tasks: &mut Tasks,
    ends: Instant,
) -> Option<RunError> {
    let all_settled = async {
        for queue in queues {
            queue.settler.close().await;
        }
        tasks.settled().await
    };
    let flushed = tokio::select! {
        flushed = timeout_at(ends, all_settled) => flushed.ok(),
        () = halted_for(shared, HALTED_FLUSH_MAX) => None,
    };
    flushed.unwrap_or_else(|| {
        tracing::warn!(
            "finished work could not be settled in time; its messages come back when their leases end"
        );
        None
    })
}

async fn halted_for(shared: &Shared, span: Duration) {
    shared.phases.halt.cancelled().await;
    tokio::time::sleep(span).await;
}
