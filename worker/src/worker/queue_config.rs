//! What a worker does with one queue.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Job, JobKind};
use tower::{Layer, Service};

use super::given::Given;
use super::handler_config::HandlerDraft;
use super::{HandlerConfig, Policy};
use crate::handler::{BlockingProcessor, RawProcessor, TypedProcessor, layered};
use crate::{
    BlockingHandler, Handler, HandlerService, IntoOutcome, JobContext, Outcome, Processor,
    ProcessorOptions,
};

/// The handlers of a queue and how they run. Made by [`super::WorkerBuilder::queue`].
#[derive(Debug)]
#[must_use = "give it back from the closure"]
pub struct QueueConfig<S> {
    state: S,
    pub(super) lease: Option<Duration>,
    pub(super) given: Given,
    pub(super) handlers: Vec<HandlerDraft>,
}

impl<S: Clone + Send + Sync + 'static> QueueConfig<S> {
    pub(crate) fn new(state: S) -> Self {
        Self {
            state,
            lease: None,
            given: Given::default(),
            handlers: Vec::new(),
        }
    }

    #[cfg(feature = "test-kit")]
    pub(crate) fn state(&self) -> &S {
        &self.state
    }

    /// Works jobs of a type with an async function: the job first, extractors after.
    pub fn handle<H, A>(self, handler: H) -> Self
    where
        H: Handler<A, S>,
        A: 'static,
    {
        self.handle_with(handler, |handler| handler)
    }

    /// The same, with options of its own for this handler.
    pub fn handle_with<H, A>(
        self,
        handler: H,
        configure: impl FnOnce(HandlerConfig) -> HandlerConfig,
    ) -> Self
    where
        H: Handler<A, S>,
        A: 'static,
    {
        let processor = TypedProcessor::new(handler, self.state.clone());
        self.add(Some(H::Job::KIND), Arc::new(processor), configure)
    }

    /// Works jobs of a type with a function that blocks its thread. It runs on the blocking pool
    /// and cannot be cancelled: past its timeout the attempt has failed, but its slot stays taken
    /// until it returns.
    pub fn handle_blocking<H, A>(self, handler: H) -> Self
    where
        H: BlockingHandler<A, S>,
        A: 'static,
    {
        self.handle_blocking_with(handler, |handler| handler)
    }

    /// The same, with options of its own for this handler.
    pub fn handle_blocking_with<H, A>(
        self,
        handler: H,
        configure: impl FnOnce(HandlerConfig) -> HandlerConfig,
    ) -> Self
    where
        H: BlockingHandler<A, S>,
        A: 'static,
    {
        let processor = BlockingProcessor::new(handler, self.state.clone());
        self.add(Some(H::Job::KIND), Arc::new(processor), configure)
    }

    /// Works messages of a kind, or with `None` of every kind nobody else takes, undecoded.
    pub fn handle_raw<F, Fut>(self, kind: Option<&str>, handler: F) -> Self
    where
        F: Fn(JobContext) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoOutcome,
    {
        self.add(kind, Arc::new(RawProcessor(handler)), |handler| handler)
    }

    /// Works messages of a kind, or with `None` of every kind nobody else takes, by a processor.
    pub fn process(
        mut self,
        kind: Option<JobKind>,
        processor: Arc<dyn Processor>,
        options: ProcessorOptions,
    ) -> Self {
        let draft = HandlerDraft::complete(kind, processor, options);
        self.handlers.push(draft);
        self
    }

    fn add(
        mut self,
        kind: Option<&str>,
        processor: Arc<dyn Processor>,
        configure: impl FnOnce(HandlerConfig) -> HandlerConfig,
    ) -> Self {
        let kind = match kind.map(JobKind::new).transpose() {
            Ok(kind) => kind,
            Err(error) => {
                self.given.refuse(error);
                return self;
            }
        };
        let config = configure(HandlerConfig::new(processor));
        self.handlers.push(HandlerDraft::of(kind, config));
        self
    }

    /// Fits a tower layer around the handlers named so far.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<HandlerService>,
        L::Service: Service<JobContext, Response = Outcome> + Clone + Send + Sync + 'static,
        <L::Service as Service<JobContext>>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        <L::Service as Service<JobContext>>::Future: Send + 'static,
    {
        for handler in &mut self.handlers {
            handler.processor = layered(handler.processor.clone(), &layer);
        }
        self
    }

    /// Runs at most this many jobs of the queue at a time. Default: all slots of the worker.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.given.concurrency = Some(jobs);
        self
    }

    /// Leases messages for this long; the worker extends it while a job runs. Default 60 s.
    pub fn lease(mut self, span: Duration) -> Self {
        self.lease = Some(span);
        self
    }

    /// Cancels a job that takes longer; it fails with label `timeout`. Default 30 min.
    pub fn timeout(mut self, span: Duration) -> Self {
        self.given.timeout = Some(span);
        self
    }

    /// Deals with failures this way; what it does not name is the worker's policy.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.given.policy = Some(policy);
        self
    }

    /// Deals with failures of a label, and of everything below it, this way. The longest label
    /// wins, then the queue's before the worker's.
    pub fn on_error(mut self, label: impl AsRef<str>, policy: Policy) -> Self {
        self.given.on_error(label.as_ref(), policy);
        self
    }
}
