//! What became of a message that was run.

use std::time::Duration;

use longshore_core::DeadReason;

use crate::runtime::{Conclusion, Fate};

/// What became of a message that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ran {
    /// It is done.
    Acked,
    /// It failed and comes back after this.
    Retried {
        /// How long it waits.
        delay: Duration,
        /// The label of the failure.
        label: String,
        /// The error.
        error: String,
    },
    /// It was dead-lettered.
    Dead {
        /// Why.
        reason: DeadReason,
        /// The label of the failure.
        label: String,
        /// The error.
        error: String,
    },
    /// It was put back uncharged.
    Released,
    /// No handler takes its kind; it was put back uncharged.
    Unserved,
}

impl Ran {
    pub(super) fn of(conclusion: &Conclusion) -> Self {
        match &conclusion.fate {
            Fate::Acked => Self::Acked,
            Fate::Retried(event) => Self::Retried {
                delay: event.delay,
                label: event.attempt.label.to_string(),
                error: event.attempt.error.clone(),
            },
            Fate::Dead(event) => Self::Dead {
                reason: event.reason,
                label: event.attempt.label.to_string(),
                error: event.attempt.error.clone(),
            },
            Fate::Released => Self::Released,
            Fate::Unserved => Self::Unserved,
        }
    }
}
