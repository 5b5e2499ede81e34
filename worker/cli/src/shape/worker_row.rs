//! A worker in a list.

use longshore::core::WorkerInfo;
use serde::Serialize;

use crate::parse::rfc3339;

/// What `workers` prints of each.
#[derive(Debug, Serialize)]
pub(crate) struct WorkerRow<'a> {
    /// Its identity.
    pub(crate) id: &'a str,
    /// The host it runs on.
    pub(crate) host: &'a str,
    /// Its process there.
    pub(crate) pid: u32,
    /// Its version.
    pub(crate) version: &'a str,
    /// Since when it runs.
    pub(crate) started_at: String,
    /// When it was last heard of.
    pub(crate) seen_at: String,
    /// The queues it consumes.
    pub(crate) queues: Vec<&'a str>,
    /// The kinds it takes; all if empty.
    pub(crate) kinds: &'a [String],
    /// How many jobs it can run at a time.
    pub(crate) slots: u32,
    /// Whether it is draining.
    pub(crate) draining: bool,
    /// What it runs now.
    pub(crate) jobs: Vec<JobRow<'a>>,
}

/// A job in a worker's slot.
#[derive(Debug, Serialize)]
pub(crate) struct JobRow<'a> {
    /// Which message.
    pub(crate) id: String,
    /// Of which queue.
    pub(crate) queue: &'a str,
    /// Which attempt.
    pub(crate) attempt: u32,
    /// Since when.
    pub(crate) started_at: String,
}

impl<'a> WorkerRow<'a> {
    /// The row of a worker.
    pub(crate) fn of(worker: &'a WorkerInfo) -> Self {
        Self {
            id: &worker.id,
            host: &worker.host,
            pid: worker.pid,
            version: &worker.version,
            started_at: rfc3339(worker.started_at),
            seen_at: rfc3339(worker.seen_at),
            queues: worker.queues.iter().map(AsRef::as_ref).collect(),
            kinds: &worker.kinds,
            slots: worker.slots,
            draining: worker.draining,
            jobs: worker
                .jobs
                .iter()
                .map(|job| JobRow {
                    id: job.id.to_string(),
                    queue: job.queue.as_str(),
                    attempt: job.attempt,
                    started_at: rfc3339(job.started_at),
                })
                .collect(),
        }
    }
}
