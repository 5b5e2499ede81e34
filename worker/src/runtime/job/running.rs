//! The deliveries in this process's hands.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use longshore_core::{RunningJob, Timestamp};
use tokio::time::Instant;

use crate::JobContext;
use crate::job::lock;
use crate::runtime::entry::Entry;

/// A delivery from its receive until its settle is on its way.
#[derive(Debug)]
pub(crate) struct Job {
    number: u64,
    pub(crate) context: JobContext,
    pub(crate) entry: Arc<Entry>,
    /// When its handler was called.
    pub(crate) started_at: OnceLock<Timestamp>,
}

/// The jobs of one queue, in the order they were received.
#[derive(Debug, Default)]
pub(crate) struct RunningJobs {
    jobs: Mutex<BTreeMap<u64, Arc<Job>>>,
    next: AtomicU64,
    count: AtomicUsize,
}

impl RunningJobs {
    pub(crate) fn add(&self, context: JobContext, entry: Arc<Entry>) -> Arc<Job> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let job = Arc::new(Job {
            number,
            context,
            entry,
            started_at: OnceLock::new(),
        });
        lock(&self.jobs).insert(number, job.clone());
        self.count.fetch_add(1, Ordering::AcqRel);
        job
    }

    /// Takes a job off the list; its lease is not extended any more.
    pub(crate) fn remove(&self, job: &Job) {
        if lock(&self.jobs).remove(&job.number).is_some() {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
    }

    pub(crate) fn contains(&self, job: &Job) -> bool {
        lock(&self.jobs).contains_key(&job.number)
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// The jobs whose lease was last granted before `granted`.
    pub(crate) fn granted_before(&self, granted: Instant) -> Vec<Arc<Job>> {
        let jobs = lock(&self.jobs);
        let due = jobs
            .values()
            .filter(|job| job.context.state.granted() <= granted);
        due.cloned().collect()
    }

    /// Tells every job to end.
    pub(crate) fn cancel_all(&self) {
        // Outside the lock: cancelling may wake and drop other people's work.
        let jobs: Vec<_> = lock(&self.jobs).values().cloned().collect();
        for job in jobs {
            job.context.cancel.cancel();
        }
    }

    /// The jobs whose handler was called, oldest first, at most `max`.
    pub(crate) fn started(&self, max: usize) -> Vec<RunningJob> {
        let jobs = lock(&self.jobs);
        let started = jobs.values().filter_map(|job| {
            Some(RunningJob {
                id: job.context.delivery.message.id,
                queue: job.context.queue.clone(),
                attempt: job.context.delivery.attempt,
                started_at: *job.started_at.get()?,
            })
        });
        started.take(max).collect()
    }
}
