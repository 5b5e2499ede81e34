//! Clauses: what differs for particular failures.

use super::{ErrorPolicy, PolicyChange};
use crate::{Label, QueueName};

/// What a clause does instead of the usual retry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClauseAction {
    /// Dead-letter at once.
    DeadLetter,
    /// Finish as done.
    Handled,
    /// Go on with the next step.
    Continued,
    /// Send the message there, then finish as done.
    Forward {
        /// The queue.
        queue: QueueName,
        /// The named store; `None` is the route's.
        store: Option<String>,
    },
}

/// What differs for failures with a label.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// Takes this label and everything below it.
    pub pattern: Label,
    /// Whether it stands at the route (rather than for all routes): wins over a global clause
    /// with a pattern of the same length.
    pub at_route: bool,
    /// The keys it sets.
    pub change: PolicyChange,
    /// What it does, if not the usual retry.
    pub action: Option<ClauseAction>,
}

impl ErrorPolicy {
    /// The clause that decides about a failure: the longest matching label wins, then route
    /// before global, then the first written.
    pub fn winner(&self, label: &Label) -> Option<&Clause> {
        let mut winner: Option<&Clause> = None;
        for clause in self
            .clauses
            .iter()
            .filter(|clause| clause.pattern.takes(label))
        {
            let rank = |clause: &Clause| (clause.pattern.segments(), clause.at_route);
            if winner.is_none_or(|best| rank(clause) > rank(best)) {
                winner = Some(clause);
            }
        }
        winner
    }
}
