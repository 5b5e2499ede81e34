//! What a job knows of itself.

use std::sync::Arc;

use longshore_core::{Delivery, QueueName, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{CheckpointSlot, Hold, JobState};
use crate::Connection;

/// One delivery being worked. Cloning is cheap; all clones are the same job.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobContext {
    /// The delivery.
    pub delivery: Arc<Delivery>,
    /// The queue it came from.
    pub queue: QueueName,
    /// The worker that has it.
    pub worker: Arc<str>,
    /// Fires when the job must end: its lease is lost, its timeout passed, or the drain is over.
    /// The job's future is dropped right after, so this is for work that runs beside it.
    pub cancel: CancellationToken,
    /// The store it came from.
    pub connection: Connection,
    pub(crate) state: Arc<JobState>,
}

impl JobContext {
    /// A job outside of any worker, for tests of processors.
    pub fn new(
        delivery: impl Into<Arc<Delivery>>,
        queue: QueueName,
        connection: Connection,
    ) -> Self {
        Self::of_worker(delivery.into(), queue, "none".into(), connection)
    }

    pub(crate) fn of_worker(
        delivery: Arc<Delivery>,
        queue: QueueName,
        worker: Arc<str>,
        connection: Connection,
    ) -> Self {
        let state = Arc::new(JobState::new(delivery.leased_until));
        Self {
            delivery,
            queue,
            worker,
            cancel: CancellationToken::new(),
            connection,
            state,
        }
    }

    /// The checkpoint.
    pub fn checkpoint(&self) -> CheckpointSlot<'_> {
        CheckpointSlot {
            state: &self.state,
            delivery: &self.delivery,
        }
    }

    /// Keeps the slot taken until the answer is dropped.
    pub fn hold(&self) -> Hold {
        Hold::new(self.state.clone())
    }

    /// When the lease ends, by the store's clock, as of its last extension.
    pub fn leased_until(&self) -> Timestamp {
        self.state.leased_until()
    }

    /// Whether the lease is known to be lost: somebody else may be working the message.
    pub fn lease_lost(&self) -> bool {
        self.state.is_lost()
    }
}
