//! An async handler behind the processor seam.

use std::fmt;
use std::marker::PhantomData;

use async_trait::async_trait;
use longshore_core::Job;

use super::Handler;
use crate::{JobContext, Outcome, Processor};

/// Forgets the types of a handler.
pub(crate) struct TypedProcessor<H, A, S> {
    handler: H,
    state: S,
    arguments: PhantomData<fn(A)>,
}

impl<H, A, S> TypedProcessor<H, A, S> {
    pub(crate) fn new(handler: H, state: S) -> Self {
        Self {
            handler,
            state,
            arguments: PhantomData,
        }
    }
}

impl<H: Handler<A, S>, A, S> fmt::Debug for TypedProcessor<H, A, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedProcessor({})", H::Job::KIND)
    }
}

#[async_trait]
impl<H, A, S> Processor for TypedProcessor<H, A, S>
where
    H: Handler<A, S>,
    A: 'static,
    S: Send + Sync + 'static,
{
    async fn process(&self, job: JobContext) -> Outcome {
        self.handler.clone().call(job, &self.state).await
    }
}
