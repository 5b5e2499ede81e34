//! A worker that is ready to run, and the handle to steer it.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use longshore_core::RunningJob;
use tokio::signal::unix::{SignalKind, signal};

use super::{RunError, RunReport, Setup, WorkerStats};
use crate::aggregate::Release;
use crate::runtime::{self, Inbox, QueueRuntime, Shared};

/// A worker: it consumes queues of one store with the handlers it was given.
///
/// It fetches as much as it has free slots, keeps leases while jobs run, retries what fails by
/// policy, and at shutdown lets running jobs end before it goes.
#[derive(Debug)]
#[must_use = "a worker does nothing until it is run"]
pub struct Worker {
    shared: Arc<Shared>,
    queues: Vec<(Arc<QueueRuntime>, Inbox)>,
    releases: Vec<Arc<Release>>,
}

impl Worker {
    pub(super) fn new(mut setup: Setup) -> Self {
        let shared = Arc::new(Shared::new(&mut setup));
        let releases = setup.releases;
        let queues = setup.queues.into_iter();
        let queues = queues.map(|queue| QueueRuntime::new(shared.clone(), queue));
        Self {
            queues: queues.collect(),
            releases,
            shared,
        }
    }

    /// The queues without anything that runs them.
    #[cfg(feature = "test-kit")]
    pub(crate) fn into_queues(self) -> Vec<Arc<QueueRuntime>> {
        self.queues.into_iter().map(|(queue, _)| queue).collect()
    }

    /// A handle to watch and stop it.
    pub fn handle(&self) -> WorkerHandle {
        WorkerHandle {
            shared: self.shared.clone(),
            queues: self.queues.iter().map(|(queue, _)| queue.clone()).collect(),
        }
    }

    /// Runs until SIGTERM or SIGINT, then drains; a second signal exits at once and leaves what
    /// runs to the end of its lease.
    pub async fn run(self) -> Result<RunReport, RunError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
        let handle = self.handle();
        let watch = async move {
            for second in [false, true] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if second {
                    handle.stop_now();
                } else {
                    handle.stop();
                }
            }
        };
        let watcher = AbortOnDrop(tokio::spawn(watch));
        let report = self.run_until(std::future::pending()).await;
        drop(watcher);
        report
    }

    /// Runs until `end` is ready or the handle says stop, then drains.
    ///
    /// # Cancellation
    ///
    /// Dropping the future stops everything at once; what ran is delivered again when its lease
    /// has ended.
    pub async fn run_until(
        self,
        end: impl Future<Output = ()> + Send,
    ) -> Result<RunReport, RunError> {
        runtime::run(self.shared, self.queues, self.releases, end).await
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Watches and stops a worker. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct WorkerHandle {
    shared: Arc<Shared>,
    queues: Vec<Arc<QueueRuntime>>,
}

impl WorkerHandle {
    /// Closes the intakes; the run ends when its jobs have, or when the drain budget is used up.
    pub fn stop(&self) {
        self.shared.phases.stop.cancel();
    }

    /// Exits now: jobs are dropped, and what was started keeps its lease to the end.
    pub fn stop_now(&self) {
        self.shared.phases.halt();
        for queue in &self.queues {
            queue.running.cancel_all();
        }
    }

    /// The identity of this start of the worker, as it stands in attempt records.
    pub fn id(&self) -> &str {
        &self.shared.identity.id
    }

    /// The numbers at this moment.
    pub fn stats(&self) -> WorkerStats {
        let counters = &self.shared.counters;
        let running: usize = self.queues.iter().map(|queue| queue.running.count()).sum();
        WorkerStats {
            done: counters.report(),
            received: counters.received.get(),
            unserved: counters.unserved.get(),
            receive_errors: counters.receive_errors.get(),
            slots: self.shared.concurrency as u64,
            running: running as u64,
            draining: self.shared.phases.is_stopping(),
        }
    }

    /// The last turn of the slowest fetch loop: one that is long ago tells of a loop that hangs.
    pub fn heartbeat(&self) -> Instant {
        let beats = self.queues.iter().map(|queue| queue.last_beat().into_std());
        beats.min().unwrap_or_else(|| self.shared.born.into_std())
    }

    /// The jobs that run now, oldest first.
    pub fn running(&self) -> Vec<RunningJob> {
        let queues = self.queues.iter();
        let mut jobs: Vec<_> = queues
            .flat_map(|queue| queue.running.started(usize::MAX))
            .collect();
        jobs.sort_by_key(|job| job.started_at);
        jobs
    }
}
