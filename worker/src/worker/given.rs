//! What was given at one of the places where options can stand.

use std::time::Duration;

use longshore_core::{Label, NameError};

use super::Policy;

/// Options that a handler has, a queue for its handlers, and in part a worker for its queues.
/// What is left out is inherited.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) concurrency: Option<usize>,
    pub(super) timeout: Option<Duration>,
    pub(super) policy: Option<Policy>,
    pub(super) clauses: Vec<(Label, Policy)>,
    /// The first name that cannot be one; told when the worker is built.
    pub(super) refused: Option<NameError>,
}

impl Given {
    /// Adds a clause for the failures of a label.
    pub(super) fn on_error(&mut self, label: &str, policy: Policy) {
        match Label::new(label) {
            Ok(label) => self.clauses.push((label, policy)),
            Err(error) => self.refuse(error),
        }
    }

    pub(super) fn refuse(&mut self, error: NameError) {
        self.refused.get_or_insert(error);
    }
}
