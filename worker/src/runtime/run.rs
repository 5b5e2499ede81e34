//! A run from its first receive to its last settle.

use std::future::Future;
use std::sync::Arc;

use crate::aggregate::Release;
use crate::runtime::closer;
use crate::runtime::job::lease_keeper;
use crate::runtime::observe::{announce, gauges};
use crate::runtime::prepare::prepare;
use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::receive::fetch;
use crate::runtime::retention;
use crate::runtime::settle::batcher;
use crate::runtime::settle::handle::Inbox;
use crate::runtime::shared::Shared;
use crate::runtime::shutdown::drain::{cancel_all, drain};
use crate::runtime::tasks::Tasks;
use crate::worker::{RunError, RunReport};

/// Runs the queues until `end` is ready, the worker is told to stop, the store fails for good or
/// a task of the worker breaks; then drains.
pub(crate) async fn run(
    shared: Arc<Shared>,
    queues: Vec<(Arc<QueueRuntime>, Inbox)>,
    releases: Vec<Arc<Release>>,
    end: impl Future<Output = ()> + Send,
) -> Result<RunReport, RunError> {
    let (queues, inboxes): (Vec<_>, Vec<_>) = queues.into_iter().unzip();
    for queue in &queues {
        prepare(queue).await?;
    }
    let _halt_when_dropped = HaltWhenDropped {
        shared: shared.clone(),
        queues: queues.clone(),
    };
    let handles = queues.iter().map(|queue| queue.settler.clone()).collect();
    // A worker runs once: `run` takes it.
    let _ = shared.settlers.set(handles);

    let mut tasks = Tasks::default();
    for (queue, inbox) in queues.iter().zip(inboxes) {
        tasks.settlers.spawn(batcher::run(inbox, queue.clone()));
        tasks.keep(lease_keeper::run(queue.clone()));
        tasks.fetchers.spawn(fetch::run(queue.clone()));
    }
    for release in releases {
        tasks.keep(closer::run(shared.clone(), release));
    }
    tasks.keep(announce::run(shared.clone(), queues.clone()));
    tasks.keep(gauges::run(shared.clone()));
    tasks.keep(retention::run(shared.clone(), queues.clone()));

    let failure = tokio::select! {
        () = end => None,
        () = shared.phases.stop.cancelled() => None,
        failure = tasks.first_to_fail() => Some(failure),
    };
    shared.phases.stop.cancel();
    if let Some(error) = &failure {
        tracing::error!(%error, "the worker cannot go on; draining");
    }
    let in_drain = drain(&shared, &queues, &mut tasks).await;
    let at_last = tasks.dismiss_keepers().await;
    announce::farewell(&shared, &queues).await;
    match failure.or(in_drain).or(at_last) {
        Some(error) => Err(error),
        None => Ok(shared.counters.report()),
    }
}

/// A run whose future is dropped leaves nothing running behind.
struct HaltWhenDropped {
    shared: Arc<Shared>,
    queues: Vec<Arc<QueueRuntime>>,
}

impl Drop for HaltWhenDropped {
    fn drop(&mut self) {
        self.shared.phases.halt();
        cancel_all(&self.queues);
    }
}
