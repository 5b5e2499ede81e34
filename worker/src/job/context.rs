//! What a job knows of itself.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Delivery, QueueName, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{CheckpointSlot, Hold, JobState};
use crate::Connection;

/// How often a job whose lease may have ended looks whether it was extended.
const HELD_LOOK_EACH: Duration = Duration::from_millis(20);

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
        let delivery = delivery.into();
        let state = JobState::new(delivery.leased_until, Instant::now(), None);
        Self::of_worker(delivery, queue, "none".into(), connection, state)
    }

    pub(crate) fn of_worker(
        delivery: Arc<Delivery>,
        queue: QueueName,
        worker: Arc<str>,
        connection: Connection,
        state: JobState,
    ) -> Self {
        let state = Arc::new(state);
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

    /// Until when the lease surely holds, on this process's clock: nothing of the job may be begun
    /// later. `None` outside of a worker.
    pub fn held_until(&self) -> Option<Instant> {
        self.state.held_until()
    }

    /// Waits while the lease may have ended, because this process stood still: its keeper extends
    /// it, or finds it lost and cancels the job. Call it before each part that must not run beside
    /// another delivery.
    pub async fn until_held(&self) {
        while self.held_until().is_some_and(|end| end <= Instant::now()) {
            tokio::time::sleep(HELD_LOOK_EACH).await;
        }
    }

    /// Whether the lease is known to be lost: another process may be working the message.
    pub fn lease_lost(&self) -> bool {
        self.state.is_lost()
    }
}
