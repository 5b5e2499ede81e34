//! The seam below typed handlers.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::{ClauseAction, ErrorPolicy, Failure};

use super::{JobContext, Outcome, forward};

/// Works deliveries: a typed handler, or the steps of a route.
#[async_trait]
pub trait Processor: fmt::Debug + Send + Sync + 'static {
    /// Works one delivery.
    ///
    /// # Cancellation
    ///
    /// The future is dropped when the lease is lost, the timeout passes or the drain is over.
    /// Work that goes on after that must keep a [`super::Hold`].
    async fn process(&self, job: JobContext) -> Outcome;

    /// Does what a clause of the policy names instead of a retry, for failures of `process` and
    /// for those the worker itself made (`timeout`, `panic`).
    ///
    /// `Done` acks the message. `Failed` is decided about once more; an action is not taken
    /// twice. By default handled and continued are done, and a forward stores a child, whose
    /// id is derived from the message's, in a queue of the same store.
    async fn act(&self, job: &JobContext, failure: &Failure, action: &ClauseAction) -> Outcome {
        forward::act(job, failure, action).await
    }
}

/// How deliveries of one kind are worked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProcessorOptions {
    /// A name for logs, such as that of a route; may be empty.
    pub name: String,
    /// What becomes of failures.
    pub policy: ErrorPolicy,
    /// A job that takes longer is cancelled and fails with label `timeout`. Default 30 min.
    pub timeout: Duration,
    /// How many may run at a time in this process. Default: as many as the queue's slots.
    pub concurrency: Option<usize>,
}

impl ProcessorOptions {
    /// A job that takes longer is cancelled, where nothing else is said.
    pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30 * 60);

    /// The defaults under a name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Sets the error policy.
    #[must_use]
    pub fn policy(mut self, policy: ErrorPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the timeout of a job.
    #[must_use]
    pub fn timeout(mut self, span: Duration) -> Self {
        self.timeout = span;
        self
    }

    /// Bounds how many run at a time.
    #[must_use]
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.concurrency = Some(jobs);
        self
    }
}

impl Default for ProcessorOptions {
    fn default() -> Self {
        Self {
            name: String::new(),
            policy: ErrorPolicy::default(),
            timeout: Self::TIMEOUT_DEFAULT,
            concurrency: None,
        }
    }
}
