//! A handler that blocks its thread, behind the processor seam.

use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::{Failure, Job};

use super::BlockingHandler;
use crate::{JobContext, Outcome, Processor};

/// Runs a handler on the blocking pool. It cannot be cancelled there: its slot stays taken until
/// it returns.
pub(crate) struct BlockingProcessor<H, A, S> {
    handler: H,
    state: S,
    arguments: PhantomData<fn(A)>,
}

impl<H, A, S> BlockingProcessor<H, A, S> {
    pub(crate) fn new(handler: H, state: S) -> Self {
        Self {
            handler,
            state,
            arguments: PhantomData,
        }
    }
}

impl<H: BlockingHandler<A, S>, A, S> fmt::Debug for BlockingProcessor<H, A, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockingProcessor({})", H::Job::KIND)
    }
}

#[async_trait]
impl<H, A, S> Processor for BlockingProcessor<H, A, S>
where
    H: BlockingHandler<A, S>,
    A: 'static,
    S: Clone + Send + Sync + 'static,
{
    async fn process(&self, job: JobContext) -> Outcome {
        let handler = self.handler.clone();
        let state = self.state.clone();
        let hold = job.hold();
        let work = tokio::task::spawn_blocking(move || {
            // It may have waited for a thread until after its timeout.
            let outcome = if job.cancel.is_cancelled() {
                Outcome::Release {
                    delay: Duration::ZERO,
                }
            } else {
                handler.call(&job, &state)
            };
            drop(hold);
            outcome
        });
        match work.await {
            Ok(outcome) => outcome,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Outcome::Failed(Failure::retryable("the runtime is shutting down")),
            },
        }
    }
}
