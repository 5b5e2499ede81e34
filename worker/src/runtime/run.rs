//! A run from its first receive to its last settle.

use std::future::Future;
use std::sync::Arc;

use longshore_core::{Result, StoreError, StoreErrorKind};
use tokio::task::{JoinError, JoinSet};

use super::drain::{cancel_all, drain};
use super::prepare::prepare;
use super::queue_runtime::QueueRuntime;
use super::settler::Inbox;
use super::shared::Shared;
use super::{announce, fetch, gauges, lease_keeper, settling};
use crate::worker::{RunError, RunReport};

/// Runs the queues until `end` is ready, the worker is told to stop, or the store fails for good;
/// then drains.
pub(crate) async fn run(
    shared: Arc<Shared>,
    queues: Vec<(Arc<QueueRuntime>, Inbox)>,
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

    let mut settlers = JoinSet::new();
    let mut keepers = JoinSet::new();
    let mut fetchers = JoinSet::new();
    for (queue, inbox) in queues.iter().zip(inboxes) {
        settlers.spawn(settling::run(inbox, queue.clone()));
        keepers.spawn(lease_keeper::run(queue.clone()));
        fetchers.spawn(fetch::run(queue.clone()));
    }
    keepers.spawn(announce::run(shared.clone(), queues.clone()));
    keepers.spawn(gauges::run(shared.clone()));

    let failure = tokio::select! {
        () = end => None,
        () = shared.phases.stop.cancelled() => None,
        Some(ended) = fetchers.join_next() => failure_of(ended),
    };
    shared.phases.stop.cancel();
    if let Some(error) = &failure {
        tracing::error!(%error, "the store failed for good; draining");
    }
    drain(&shared, &queues, &mut fetchers, &mut settlers).await;
    keepers.shutdown().await;
    announce::farewell(&shared, &queues).await;
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(shared.counters.report()),
    }
}

fn failure_of(ended: std::result::Result<Result<()>, JoinError>) -> Option<StoreError> {
    match ended {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(error) => Some(
            StoreError::new(
                StoreErrorKind::Unexpected,
                "receive",
                "the store's code panicked",
            )
            .caused_by(error),
        ),
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
