//! The registry of workers.

use serde::{Deserialize, Serialize};

use crate::{MessageId, QueueName, Timestamp};

/// A worker process as it announces itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// Its identity: host, process and a random part, new for every start.
    pub id: String,
    /// The host it runs on.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// The version of longshore.
    pub version: String,
    /// Since when it runs.
    pub started_at: Timestamp,
    /// When it was last heard of; stamped by the store.
    pub seen_at: Timestamp,
    /// The queues it consumes.
    pub queues: Vec<QueueName>,
    /// The kinds it has handlers for; empty if it takes all.
    pub kinds: Vec<String>,
    /// How many jobs it can run at a time.
    pub slots: u32,
    /// Whether it is draining.
    pub draining: bool,
    /// Some of the jobs it runs now, oldest first; at most [`Self::JOBS_MAX`].
    pub jobs: Vec<RunningJob>,
}

impl WorkerInfo {
    /// At most this many running jobs are listed.
    pub const JOBS_MAX: usize = 64;

    /// A worker that starts now and consumes nothing yet.
    pub fn new(id: String, host: String, pid: u32, version: String, started_at: Timestamp) -> Self {
        Self {
            id,
            host,
            pid,
            version,
            started_at,
            seen_at: started_at,
            queues: Vec::new(),
            kinds: Vec::new(),
            slots: 0,
            draining: false,
            jobs: Vec::new(),
        }
    }
}

/// A job in a worker's slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningJob {
    /// Which message.
    pub id: MessageId,
    /// Of which queue.
    pub queue: QueueName,
    /// Which attempt.
    pub attempt: u32,
    /// Since when.
    pub started_at: Timestamp,
}
