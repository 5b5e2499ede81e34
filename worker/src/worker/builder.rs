//! Describing a worker.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::QueueName;

use super::complete::{Around, complete};
use super::given::Given;
use super::{BuildError, Policy, QueueConfig, RunError, RunReport, Setup, Worker};
use crate::aggregate::{Refold, Release};
use crate::hooks::{DeadEvent, Hooks, RetryEvent};
use crate::{Connection, ProcessorOptions, connect};

/// Jobs at a time, all queues together, where nothing else is said.
const SLOTS_DEFAULT: usize = 32;

/// Describes a worker: name its state first, then its queues.
#[derive(Debug)]
#[must_use = "a worker does nothing until it is run"]
pub struct WorkerBuilder<S = ()> {
    connection: Connection,
    state: S,
    name: Option<String>,
    drain: Duration,
    lease: Duration,
    idle_wait: Duration,
    given: Given,
    hooks: Hooks,
    queues: Vec<(QueueName, QueueConfig<S>)>,
    releases: Vec<Arc<Release>>,
}

impl Worker {
    /// Starts to describe a worker on an open store.
    pub fn builder(connection: Connection) -> WorkerBuilder<()> {
        WorkerBuilder::new(connection)
    }

    /// Opens the store of a URL and starts to describe a worker on it.
    pub async fn connect(url: &str) -> longshore_core::Result<WorkerBuilder<()>> {
        connect(url).await.map(Self::builder)
    }
}

impl WorkerBuilder<()> {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            state: (),
            name: None,
            drain: Duration::from_secs(45),
            lease: Duration::from_secs(60),
            idle_wait: Duration::from_secs(1),
            given: Given::default(),
            hooks: Hooks::default(),
            queues: Vec::new(),
            releases: Vec::new(),
        }
    }

    /// Gives handlers their state. Comes before the queues, whose handlers are checked against
    /// it.
    pub fn with_state<S: Clone + Send + Sync + 'static>(self, state: S) -> WorkerBuilder<S> {
        WorkerBuilder {
            connection: self.connection,
            state,
            name: self.name,
            drain: self.drain,
            lease: self.lease,
            idle_wait: self.idle_wait,
            given: self.given,
            hooks: self.hooks,
            queues: Vec::new(),
            releases: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> WorkerBuilder<S> {
    /// Consumes a queue.
    pub fn queue(
        mut self,
        name: impl AsRef<str>,
        configure: impl FnOnce(QueueConfig<S>) -> QueueConfig<S>,
    ) -> Self {
        match QueueName::new(name) {
            Ok(name) => {
                let config = configure(QueueConfig::new(self.state.clone()));
                self.queues.push((name, config));
            }
            Err(error) => {
                self.given.refuse(error);
            }
        }
        self
    }

    /// Closes and releases the epochs of an aggregate, and works those of its dead letters that are
    /// redriven: it consumes the queue `aggregate.NAME`.
    pub fn release(mut self, release: Release) -> Self {
        let dead = release.dead.clone();
        let refold = Arc::new(Refold(release.clone()));
        self.releases.push(Arc::new(release));
        let options = ProcessorOptions::named(dead.as_str());
        self.queue(dead.as_str(), |q| q.process(None, refold, options))
    }

    /// Runs at most this many jobs at a time, all queues together. Default 32.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.given.concurrency = Some(jobs);
        self
    }

    /// Lets running jobs end for this long at shutdown. Default 45 s.
    pub fn drain(mut self, budget: Duration) -> Self {
        self.drain = budget;
        self
    }

    /// Leases messages for this long where a queue names nothing else. Default 60 s.
    pub fn lease(mut self, span: Duration) -> Self {
        self.lease = span;
        self
    }

    /// Waits this long in one call for work of an idle queue. Default 1 s; a shutdown may have
    /// to wait for it.
    pub fn idle_wait(mut self, span: Duration) -> Self {
        self.idle_wait = span;
        self
    }

    /// Starts the worker's identity with this name instead of the host's.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Deals with failures this way where queues and handlers name nothing else.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.given.policy = Some(policy);
        self
    }

    /// Deals with failures of a label, and of everything below it, this way on all queues.
    pub fn on_error(mut self, label: impl AsRef<str>, policy: Policy) -> Self {
        self.given.on_error(label.as_ref(), policy);
        self
    }

    /// Calls `hook` after a retry was stored. It must not block; what it does, a panic included,
    /// never changes what becomes of the message.
    pub fn on_retry(mut self, hook: impl Fn(&RetryEvent) + Send + Sync + 'static) -> Self {
        self.hooks.add_retry(hook);
        self
    }

    /// Calls `hook` after a message was dead-lettered. It must not block; what it does, a panic
    /// included, never changes what becomes of the message.
    pub fn on_dead(mut self, hook: impl Fn(&DeadEvent) + Send + Sync + 'static) -> Self {
        self.hooks.add_dead(hook);
        self
    }

    /// Checks the description.
    pub fn build(self) -> Result<Worker, BuildError> {
        self.into_setup().map(Worker::new)
    }

    /// Builds the worker and runs it until SIGTERM or SIGINT, then drains.
    pub async fn run(self) -> Result<RunReport, RunError> {
        self.build()?.run().await
    }

    /// Builds the worker and runs it until `end` is ready, then drains.
    pub async fn run_until(
        self,
        end: impl Future<Output = ()> + Send,
    ) -> Result<RunReport, RunError> {
        self.build()?.run_until(end).await
    }

    pub(crate) fn into_setup(self) -> Result<Setup, BuildError> {
        if let Some(error) = self.given.refused {
            return Err(error.into());
        }
        let elsewhere = |one: &&Arc<Release>| !one.aggregate.connection().is(&self.connection);
        if let Some(release) = self.releases.iter().find(elsewhere) {
            return Err(BuildError::Setting(format!(
                "the aggregate {} is on another connection than the worker; open it on a clone of \
                 the worker's",
                release.aggregate.name()
            )));
        }
        let slots = self.given.concurrency.unwrap_or(SLOTS_DEFAULT);
        let around = Around {
            policy: self.given.policy.unwrap_or_default(),
            clauses: self.given.clauses,
            lease: self.lease,
            slots,
        };
        let queues = complete(around, self.queues)?;
        Ok(Setup {
            connection: self.connection,
            name: self.name,
            concurrency: slots,
            drain: self.drain,
            idle_wait: self.idle_wait,
            hooks: self.hooks,
            queues,
            releases: self.releases,
        })
    }
}
