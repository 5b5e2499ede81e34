//! A route: where messages come from, what is done with each, what becomes of failures.

use std::fmt;
use std::time::Duration;

use longshore_core::{ErrorPolicy, JobKind, QueueName, RouteName};

use crate::load::read::Mark;
use crate::steps::aggregate::AggregateStep;
use crate::steps::{Action, Step};

/// A route, checked and compiled.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) name: RouteName,
    pub(crate) place: Mark,
    pub(crate) intake: Intake,
    /// The queue it consumes: for a feeding intake the route's own.
    pub(crate) queue: QueueName,
    /// Only this kind; `None` takes what no other route of the queue names.
    pub(crate) kind: Option<JobKind>,
    pub(crate) policy: ErrorPolicy,
    /// Where the clauses of the policy stand, in the same order.
    pub(crate) clauses: Vec<Mark>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) lease: Option<Duration>,
    pub(crate) timeout: Duration,
    /// Whether a retry begins at the first step rather than at the failing one.
    pub(crate) restarts: bool,
    /// Whether it goes on at shutdown until what is on its way to it is done.
    pub(crate) defers: bool,
    pub(crate) steps: Vec<Step>,
    /// Of all steps: a checkpoint of other steps is not used.
    pub(crate) steps_hash: u128,
}

/// Where the messages of a route come from.
#[derive(Debug)]
pub(crate) enum Intake {
    /// Others enqueue them.
    Queue,
    /// Each file is a message.
    Files { glob: Glob, delete: bool },
    /// Each line of some files is a message.
    Lines { glob: Glob },
}

/// Which files an intake reads, and what it makes of them.
#[derive(Clone, Debug)]
pub(crate) struct Glob {
    /// As it was written.
    pub(crate) written: String,
    /// From the root of the file system.
    pub(crate) pattern: String,
    pub(crate) kind: JobKind,
    /// Whether all hosts see the same files.
    pub(crate) shared: bool,
}

impl Intake {
    /// What it reads, unless others enqueue.
    pub(crate) fn glob(&self) -> Option<&Glob> {
        match self {
            Self::Queue => None,
            Self::Files { glob, .. } | Self::Lines { glob } => Some(glob),
        }
    }
}

impl fmt::Display for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue => f.write_str("queue"),
            Self::Files { glob, delete } => {
                let after = if *delete { ", deleted once stored" } else { "" };
                write!(f, "files {}{after}", glob.written)
            }
            Self::Lines { glob } => write!(f, "lines of {}", glob.written),
        }
    }
}

impl Route {
    /// Whether a failure whose label begins with this word can come from a step of this route.
    pub(crate) fn has_step(&self, word: &str) -> bool {
        match word {
            "exec" => self
                .steps
                .iter()
                .any(|step| matches!(step.action, Action::Exec(_))),
            "http" => self
                .steps
                .iter()
                .any(|step| matches!(step.action, Action::Http(_))),
            "file" => self
                .steps
                .iter()
                .any(|step| matches!(step.action, Action::File(_))),
            "aggregate" => self.aggregate().is_some(),
            "forward" => self.forwards(),
            _ => true,
        }
    }

    /// Whether a step or a clause of it forwards.
    fn forwards(&self) -> bool {
        let to = self.aggregate().map(|step| &step.to);
        self.targets().iter().any(|(queue, _)| Some(*queue) != to)
    }

    /// Its aggregate step, if it has one: the last.
    pub(crate) fn aggregate(&self) -> Option<&AggregateStep> {
        match self.steps.last().map(|step| &step.action) {
            Some(Action::Aggregate(step)) => Some(step),
            _ => None,
        }
    }

    /// The forward targets of its steps and clauses, and where its aggregate goes.
    pub(crate) fn targets(&self) -> Vec<(&QueueName, Option<&str>)> {
        let steps = self.steps.iter().filter_map(|step| match &step.action {
            Action::Forward(step) => Some((&step.queue, step.store.as_deref())),
            Action::Aggregate(step) => Some((&step.to, None)),
            _ => None,
        });
        let clauses = self
            .policy
            .clauses
            .iter()
            .filter_map(|clause| match &clause.action {
                Some(longshore_core::ClauseAction::Forward { queue, store }) => {
                    Some((queue, store.as_deref()))
                }
                _ => None,
            });
        steps.chain(clauses).collect()
    }
}
