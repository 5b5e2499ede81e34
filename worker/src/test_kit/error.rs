//! Why the test kit could not do what a test asked.

use longshore_core::StoreError;

use crate::{BuildError, EnqueueError};

/// Why the test kit could not do what a test asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// The handlers do not make a worker.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The job was not enqueued.
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A body is no job of the wanted type.
    #[error("a body is no job of the wanted type: {0}")]
    Decode(#[source] serde_json::Error),
    /// The job is not due yet, or waits behind a member of its group.
    #[error("the job is not due; advance the clock, then drain")]
    NotDue,
    /// Handlers keep adding work that is due at once.
    #[error("the drain does not end: handlers keep adding work that is due at once")]
    EndlessDrain,
    /// The description failed earlier.
    #[error("the handlers did not make a worker; see the first error")]
    Described,
}
