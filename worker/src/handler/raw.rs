//! An async function over the whole job, behind the processor seam.

use std::fmt;
use std::future::Future;

use async_trait::async_trait;

use crate::{IntoOutcome, JobContext, Outcome, Processor};

/// Hands the job over undecoded.
pub(crate) struct RawProcessor<F>(pub(crate) F);

impl<F> fmt::Debug for RawProcessor<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawProcessor")
    }
}

#[async_trait]
impl<F, Fut> Processor for RawProcessor<F>
where
    F: Fn(JobContext) -> Fut + Send + Sync + 'static,
    Fut: Future + Send,
    Fut::Output: IntoOutcome,
{
    async fn process(&self, job: JobContext) -> Outcome {
        (self.0)(job).await.into_outcome()
    }
}
