//! Describing a worker.

use std::future::Future;
use std::time::Duration;

use longshore_core::{Clause, ErrorPolicy, Label, NameError, QueueName};

use super::handler_config::{DraftOptions, HandlerDraft};
use super::setup::ProcessorSetup;
use super::{BuildError, Policy, QueueConfig, QueueSetup, RunError, RunReport, Setup, Worker};
use crate::hooks::{DeadEvent, Hooks, RetryEvent};
use crate::{Connection, ProcessorOptions};

/// No shorter lease is taken: the keeper of leases turns a few times in a third of it.
const LEASE_LEAST: Duration = Duration::from_millis(300);
/// More slots than this are a mistake.
const SLOTS_MAX: usize = 100_000;

/// Describes a worker: name its state first, then its queues.
#[derive(Debug)]
#[must_use = "a worker does nothing until it is run"]
pub struct WorkerBuilder<S = ()> {
    connection: Connection,
    state: S,
    name: Option<String>,
    concurrency: usize,
    drain: Duration,
    lease: Duration,
    idle_wait: Duration,
    policy: Policy,
    clauses: Vec<(Label, Policy)>,
    hooks: Hooks,
    queues: Vec<(QueueName, QueueConfig<S>)>,
    refused: Option<NameError>,
}

impl WorkerBuilder<()> {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            state: (),
            name: None,
            concurrency: 32,
            drain: Duration::from_secs(45),
            lease: Duration::from_secs(60),
            idle_wait: Duration::from_secs(1),
            policy: Policy::new(),
            clauses: Vec::new(),
            hooks: Hooks::default(),
            queues: Vec::new(),
            refused: None,
        }
    }

    /// Gives handlers their state. Comes before the queues, whose handlers are checked against
    /// it.
    pub fn with_state<S: Clone + Send + Sync + 'static>(self, state: S) -> WorkerBuilder<S> {
        WorkerBuilder {
            connection: self.connection,
            state,
            name: self.name,
            concurrency: self.concurrency,
            drain: self.drain,
            lease: self.lease,
            idle_wait: self.idle_wait,
            policy: self.policy,
            clauses: self.clauses,
            hooks: self.hooks,
            queues: Vec::new(),
            refused: self.refused,
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
                self.refused.get_or_insert(error);
            }
        }
        self
    }

    /// Runs at most this many jobs at a time, all queues together. Default 32.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.concurrency = jobs;
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
        self.policy = policy;
        self
    }

    /// Deals with failures of a label, and of everything below it, this way on all queues.
    pub fn on_error(mut self, label: impl AsRef<str>, policy: Policy) -> Self {
        match Label::new(label) {
            Ok(label) => self.clauses.push((label, policy)),
            Err(error) => {
                self.refused.get_or_insert(error);
            }
        }
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
        if let Some(error) = self.refused {
            return Err(error.into());
        }
        check_policies(std::iter::once(&self.policy).chain(self.clauses.iter().map(|(_, p)| p)))?;
        check_slots("the worker", self.concurrency)?;
        if self.queues.is_empty() {
            return Err(BuildError::NoQueue);
        }
        let mut base = self.policy.upon(&ErrorPolicy::default());
        base.clauses = clauses(self.clauses, false);
        let mut queues: Vec<QueueSetup> = Vec::with_capacity(self.queues.len());
        for (name, config) in self.queues {
            if queues.iter().any(|queue| queue.name == name) {
                return Err(BuildError::QueueTwice(name));
            }
            queues.push(queue_setup(
                name,
                config,
                &base,
                self.lease,
                self.concurrency,
            )?);
        }
        Ok(Setup {
            connection: self.connection,
            name: self.name,
            concurrency: self.concurrency,
            drain: self.drain,
            idle_wait: self.idle_wait,
            hooks: self.hooks,
            queues,
        })
    }
}

fn queue_setup<S>(
    name: QueueName,
    config: QueueConfig<S>,
    base: &ErrorPolicy,
    lease: Duration,
    slots: usize,
) -> Result<QueueSetup, BuildError> {
    if let Some(error) = config.refused {
        return Err(error.into());
    }
    check_policies(
        config
            .policy
            .iter()
            .chain(config.clauses.iter().map(|(_, p)| p)),
    )?;
    let concurrency = config.concurrency.unwrap_or(slots).min(slots);
    check_slots(&format!("queue {name}"), concurrency)?;
    let lease = config.lease.unwrap_or(lease);
    if lease < LEASE_LEAST {
        return Err(BuildError::LeaseTooShort {
            queue: name,
            lease,
            extend: LEASE_LEAST / 3,
            least: LEASE_LEAST,
        });
    }
    let mut policy = config
        .policy
        .as_ref()
        .map_or_else(|| base.clone(), |change| change.upon(base));
    policy.clauses.extend(clauses(config.clauses, true));
    let inherited = Inherited {
        policy,
        timeout: config.timeout.unwrap_or(ProcessorOptions::TIMEOUT_DEFAULT),
    };
    let mut processors: Vec<ProcessorSetup> = Vec::with_capacity(config.handlers.len());
    for draft in config.handlers {
        if processors.iter().any(|other| other.kind == draft.kind) {
            let kind = draft
                .kind
                .map_or("every kind".into(), |kind| kind.to_string());
            return Err(BuildError::KindTwice { queue: name, kind });
        }
        processors.push(inherited.complete(draft)?);
    }
    if processors.is_empty() {
        return Err(BuildError::NoHandler(name));
    }
    Ok(QueueSetup {
        name,
        lease,
        concurrency,
        processors,
    })
}

/// What handlers of a queue have in common.
struct Inherited {
    policy: ErrorPolicy,
    timeout: Duration,
}

impl Inherited {
    fn complete(&self, draft: HandlerDraft) -> Result<ProcessorSetup, BuildError> {
        if let Some(error) = draft.refused {
            return Err(error.into());
        }
        let options = match draft.options {
            DraftOptions::Complete(options) => options,
            DraftOptions::Inherits {
                concurrency,
                timeout,
                policy,
                clauses: own,
            } => {
                check_policies(policy.iter().chain(own.iter().map(|(_, p)| p)))?;
                let mut complete = policy
                    .as_ref()
                    .map_or_else(|| self.policy.clone(), |change| change.upon(&self.policy));
                // The handler's own clauses stand before the queue's of the same length.
                let mut all = clauses(own, true);
                all.append(&mut complete.clauses);
                complete.clauses = all;
                ProcessorOptions {
                    name: String::new(),
                    policy: complete,
                    timeout: timeout.unwrap_or(self.timeout),
                    concurrency,
                }
            }
        };
        if let Some(jobs) = options.concurrency {
            check_slots("a handler", jobs)?;
        }
        if options.timeout.is_zero() {
            return Err(BuildError::Setting(
                "the timeout of a job is zero; leave it out or name a time".into(),
            ));
        }
        Ok(ProcessorSetup {
            kind: draft.kind,
            processor: draft.processor,
            options,
        })
    }
}

fn clauses(list: Vec<(Label, Policy)>, at_route: bool) -> Vec<Clause> {
    list.into_iter()
        .map(|(pattern, policy)| policy.into_clause(pattern, at_route))
        .collect()
}

fn check_policies<'a>(mut policies: impl Iterator<Item = &'a Policy>) -> Result<(), BuildError> {
    policies
        .find_map(Policy::wrong)
        .map_or(Ok(()), |wrong| Err(BuildError::Setting(wrong)))
}

fn check_slots(whose: &str, slots: usize) -> Result<(), BuildError> {
    if (1..=SLOTS_MAX).contains(&slots) {
        return Ok(());
    }
    Err(BuildError::Setting(format!(
        "the concurrency of {whose} is {slots}; it must be from 1 to {SLOTS_MAX}"
    )))
}
