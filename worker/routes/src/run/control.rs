//! Watching and stopping a run from outside.

use std::sync::Arc;
use std::time::Instant;

use longshore_core::RunningJob;
use tokio_util::sync::CancellationToken;

use crate::intake::FeedStatus;
use crate::run::progress::Progress;
use longshore::WorkerHandle;

/// Watches and stops a run. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct RunnerHandle {
    pub(crate) workers: Vec<WorkerHandle>,
    pub(crate) feeds: Vec<Arc<FeedStatus>>,
    pub(crate) stop: CancellationToken,
    pub(crate) now: CancellationToken,
    pub(crate) born: Instant,
}

impl RunnerHandle {
    /// Closes the intakes; the run ends when its jobs have, or when the drain budget is used up.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Exits now: jobs are dropped, and what was started keeps its lease to the end.
    pub fn stop_now(&self) {
        self.now.cancel();
    }

    /// Whether it was told to stop.
    pub fn is_draining(&self) -> bool {
        self.stop.is_cancelled() || self.now.is_cancelled()
    }

    /// The numbers at this moment.
    pub fn stats(&self) -> Progress {
        let mut progress = Progress::default();
        for worker in &self.workers {
            let stats = worker.stats();
            progress.acked += stats.done.acked;
            progress.retried += stats.done.retried;
            progress.dead += stats.done.dead;
            progress.released += stats.done.released;
            progress.running += stats.running;
            progress.slots = progress.slots.max(stats.slots);
        }
        progress.fed = self.feeds.iter().map(|feed| feed.fed()).sum();
        progress.refused = self.feeds.iter().map(|feed| feed.refused()).sum();
        progress
    }

    /// The last turn of the slowest fetch loop: one that is long ago tells of a loop that hangs.
    pub fn heartbeat(&self) -> Instant {
        let beats = self.workers.iter().map(WorkerHandle::heartbeat);
        beats.min().unwrap_or(self.born)
    }

    /// The jobs that run now.
    pub fn running(&self) -> Vec<RunningJob> {
        self.workers
            .iter()
            .flat_map(WorkerHandle::running)
            .collect()
    }
}
