//! Word that the job must end.

use longshore_core::Failure;
use tokio_util::sync::CancellationToken;

use super::FromJob;
use crate::JobContext;

/// Tells that the job must end: its lease is lost, its timeout passed, or the drain is over.
///
/// An async handler is dropped right after, so this is for blocking handlers, which cannot be,
/// and for what a handler spawned.
#[derive(Clone, Debug)]
pub struct Cancel(pub CancellationToken);

impl Cancel {
    /// Whether the job must end. For loops of blocking handlers.
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the job must end.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }
}

impl<S> FromJob<S> for Cancel {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(Self(job.cancel.clone()))
    }
}
