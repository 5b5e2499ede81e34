//! From what was written to what runs: inherits what is left out, refuses what makes no sense.

use std::time::Duration;

use longshore_core::{Clause, ErrorPolicy, Label, QueueName};

use super::handler_config::{DraftOptions, HandlerDraft};
use super::setup::ProcessorSetup;
use super::{BuildError, Policy, QueueConfig, QueueSetup};
use crate::ProcessorOptions;

/// No shorter lease is taken: the keeper of leases turns a few times in a third of it.
const LEASE_LEAST: Duration = Duration::from_millis(300);
/// More slots than this are a mistake.
const SLOTS_MAX: usize = 100_000;

/// What the worker says for all its queues.
pub(super) struct Around {
    pub(super) policy: Policy,
    pub(super) clauses: Vec<(Label, Policy)>,
    pub(super) lease: Duration,
    pub(super) slots: usize,
}

/// Completes the queues of a worker.
pub(super) fn complete<S>(
    around: Around,
    configs: Vec<(QueueName, QueueConfig<S>)>,
) -> Result<Vec<QueueSetup>, BuildError> {
    check_policies(Some(&around.policy), &around.clauses)?;
    check_slots("the worker", around.slots)?;
    if configs.is_empty() {
        return Err(BuildError::NoQueue);
    }
    let mut base = around.policy.upon(&ErrorPolicy::default());
    base.clauses = clauses(around.clauses, false);
    let mut queues: Vec<QueueSetup> = Vec::with_capacity(configs.len());
    for (name, config) in configs {
        if queues.iter().any(|queue| queue.name == name) {
            return Err(BuildError::QueueTwice(name));
        }
        queues.push(queue(name, config, &base, around.lease, around.slots)?);
    }
    Ok(queues)
}

fn queue<S>(
    name: QueueName,
    config: QueueConfig<S>,
    base: &ErrorPolicy,
    lease: Duration,
    slots: usize,
) -> Result<QueueSetup, BuildError> {
    let given = config.given;
    if let Some(error) = given.refused {
        return Err(error.into());
    }
    check_policies(given.policy.as_ref(), &given.clauses)?;
    let wanted = given.concurrency.unwrap_or(slots).min(slots);
    check_slots(&format!("queue {name}"), wanted)?;
    let lease = check_lease(&name, config.lease.unwrap_or(lease))?;
    let mut policy = upon(given.policy.as_ref(), base);
    policy.clauses.extend(clauses(given.clauses, true));
    let inherited = Inherited {
        policy,
        timeout: given.timeout.unwrap_or(ProcessorOptions::TIMEOUT_DEFAULT),
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
        concurrency: startable(&processors).map_or(wanted, |most| most.min(wanted)),
        processors,
    })
}

/// How many jobs the processors together can run, where each of them has a bound: more must not
/// be fetched.
fn startable(processors: &[ProcessorSetup]) -> Option<usize> {
    let bounds = processors
        .iter()
        .map(|processor| processor.options.concurrency);
    bounds.sum()
}

fn check_lease(queue: &QueueName, lease: Duration) -> Result<Duration, BuildError> {
    if lease >= LEASE_LEAST {
        return Ok(lease);
    }
    Err(BuildError::LeaseTooShort {
        queue: queue.clone(),
        lease,
        extend: LEASE_LEAST / 3,
        least: LEASE_LEAST,
    })
}

fn upon(change: Option<&Policy>, base: &ErrorPolicy) -> ErrorPolicy {
    change.map_or_else(|| base.clone(), |change| change.upon(base))
}

/// What handlers of a queue have in common.
struct Inherited {
    policy: ErrorPolicy,
    timeout: Duration,
}

impl Inherited {
    fn complete(&self, draft: HandlerDraft) -> Result<ProcessorSetup, BuildError> {
        let options = match draft.options {
            DraftOptions::Complete(options) => options,
            DraftOptions::Inherits(given) => {
                if let Some(error) = given.refused {
                    return Err(error.into());
                }
                check_policies(given.policy.as_ref(), &given.clauses)?;
                let mut policy = upon(given.policy.as_ref(), &self.policy);
                // The handler's own clauses stand before the queue's of the same length.
                let mut all = clauses(given.clauses, true);
                all.append(&mut policy.clauses);
                policy.clauses = all;
                ProcessorOptions {
                    name: String::new(),
                    policy,
                    timeout: given.timeout.unwrap_or(self.timeout),
                    concurrency: given.concurrency,
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

/// The clauses as they were written, and each once more for what handlers name themselves: their
/// labels go below `handler.`, and who writes `http.503` means that of the handler.
fn clauses(list: Vec<(Label, Policy)>, at_route: bool) -> Vec<Clause> {
    let mut clauses = Vec::with_capacity(2 * list.len());
    for (pattern, policy) in list {
        let below = Label::new(format!("handler.{}", pattern.as_str()));
        let clause = policy.into_clause(pattern, at_route);
        if let Ok(below) = below
            && !clause.pattern.as_str().starts_with("handler")
        {
            let mut of_handlers = clause.clone();
            of_handlers.pattern = below;
            clauses.push(of_handlers);
        }
        clauses.push(clause);
    }
    clauses
}

fn check_policies(policy: Option<&Policy>, clauses: &[(Label, Policy)]) -> Result<(), BuildError> {
    let of_clauses = clauses.iter().map(|(_, policy)| policy);
    let wrong = policy.into_iter().chain(of_clauses).find_map(Policy::wrong);
    wrong.map_or(Ok(()), |wrong| Err(BuildError::Setting(wrong)))
}

fn check_slots(whose: &str, slots: usize) -> Result<(), BuildError> {
    if (1..=SLOTS_MAX).contains(&slots) {
        return Ok(());
    }
    Err(BuildError::Setting(format!(
        "the concurrency of {whose} is {slots}; it must be from 1 to {SLOTS_MAX}"
    )))
}
