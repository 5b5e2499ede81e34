//! Options of one handler.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::JobKind;
use tower::{Layer, Service};

use super::Policy;
use super::given::Given;
use crate::handler::layered;
use crate::{HandlerService, JobContext, Outcome, Processor, ProcessorOptions};

/// What differs for one handler from the rest of its queue.
#[derive(Debug)]
#[must_use = "give it back from the closure"]
pub struct HandlerConfig {
    processor: Arc<dyn Processor>,
    given: Given,
}

impl HandlerConfig {
    pub(super) fn new(processor: Arc<dyn Processor>) -> Self {
        Self {
            processor,
            given: Given::default(),
        }
    }

    /// Runs at most this many at a time.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.given.concurrency = Some(jobs);
        self
    }

    /// Cancels a job that takes longer.
    pub fn timeout(mut self, span: Duration) -> Self {
        self.given.timeout = Some(span);
        self
    }

    /// Deals with failures this way; what it does not name is the queue's policy.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.given.policy = Some(policy);
        self
    }

    /// Deals with failures of a label, and of everything below it, this way. A label that a handler
    /// gave its failure (`.label("http.503")`) is named with or without the `handler.` before it.
    pub fn on_error(mut self, label: impl AsRef<str>, policy: Policy) -> Self {
        self.given.on_error(label.as_ref(), policy);
        self
    }

    /// Fits a tower layer around it.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<HandlerService>,
        L::Service: Service<JobContext, Response = Outcome> + Clone + Send + Sync + 'static,
        <L::Service as Service<JobContext>>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        <L::Service as Service<JobContext>>::Future: Send + 'static,
    {
        self.processor = layered(self.processor, &layer);
        self
    }
}

/// A handler before the policies around it are known.
#[derive(Debug)]
pub(super) struct HandlerDraft {
    pub(super) kind: Option<JobKind>,
    pub(super) processor: Arc<dyn Processor>,
    pub(super) options: DraftOptions,
}

/// Options that are complete, or that inherit what they leave out.
#[derive(Debug)]
pub(super) enum DraftOptions {
    Complete(ProcessorOptions),
    Inherits(Given),
}

impl HandlerDraft {
    pub(super) fn complete(
        kind: Option<JobKind>,
        processor: Arc<dyn Processor>,
        options: ProcessorOptions,
    ) -> Self {
        Self {
            kind,
            processor,
            options: DraftOptions::Complete(options),
        }
    }

    pub(super) fn of(kind: Option<JobKind>, config: HandlerConfig) -> Self {
        Self {
            kind,
            processor: config.processor,
            options: DraftOptions::Inherits(config.given),
        }
    }
}
