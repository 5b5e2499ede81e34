//! Error policies as a program writes them.

use std::time::Duration;

use longshore_core::{Clause, ClauseAction, DelayTable, ErrorPolicy, Jitter, Label, PolicyChange};

/// How failures are dealt with: only what is named differs from the policy around it.
///
/// ```
/// use longshore::prelude::*;
/// let patient = Policy::redeliveries(20).delay(Duration::from_secs(5)).multiplier(2.0);
/// let hopeless = Policy::dead_letter();
/// # let _ = (patient, hopeless);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Policy {
    change: PolicyChange,
    action: Option<ClauseAction>,
}

impl Policy {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tries again this often after the first attempt. Default 6, so 7 attempts in all.
    #[must_use]
    pub fn redeliveries(count: u32) -> Self {
        let mut policy = Self::new();
        policy.change.redeliveries = Some(count);
        policy
    }

    /// Dead-letters at once.
    #[must_use]
    pub fn dead_letter() -> Self {
        Self::of_action(ClauseAction::DeadLetter)
    }

    /// Finishes the message as done.
    #[must_use]
    pub fn handled() -> Self {
        Self::of_action(ClauseAction::Handled)
    }

    fn of_action(action: ClauseAction) -> Self {
        Self {
            action: Some(action),
            ..Self::default()
        }
    }

    /// Waits this long before the first retry. Default 1 s.
    #[must_use]
    pub fn delay(mut self, span: Duration) -> Self {
        self.change.delay = Some(span);
        self
    }

    /// Makes each further delay this much longer. Default 1.0.
    #[must_use]
    pub fn multiplier(mut self, factor: f64) -> Self {
        self.change.multiplier = Some(factor);
        self
    }

    /// Never waits longer than this. Default 1 min.
    #[must_use]
    pub fn delay_max(mut self, span: Duration) -> Self {
        self.change.delay_max = Some(span);
        self
    }

    /// Waits fixed times from given retries on.
    #[must_use]
    pub fn delays(mut self, table: DelayTable) -> Self {
        self.change.delays = Some(table);
        self
    }

    /// Spreads delays by this part of them, less or more. Default 0.15.
    #[must_use]
    pub fn jitter(mut self, part: f64) -> Self {
        self.change.jitter = Some(Jitter::Fraction(part));
        self
    }

    /// Spreads delays over everything from nothing to the delay.
    #[must_use]
    pub fn full_jitter(mut self) -> Self {
        self.change.jitter = Some(Jitter::Full);
        self
    }

    pub(super) fn upon(&self, base: &ErrorPolicy) -> ErrorPolicy {
        base.with(&self.change)
    }

    pub(super) fn into_clause(self, pattern: Label, at_route: bool) -> Clause {
        Clause {
            pattern,
            at_route,
            change: self.change,
            action: self.action,
        }
    }

    /// What is wrong with it, in words.
    pub(super) fn wrong(&self) -> Option<String> {
        let change = &self.change;
        let not_a_number = |value: f64| !value.is_finite() || value < 0.0;
        if change.multiplier.is_some_and(not_a_number) {
            return Some("the multiplier must be a number that is not negative".into());
        }
        match change.jitter {
            Some(Jitter::Fraction(part)) if !(0.0..=1.0).contains(&part) => {
                Some("the jitter must be between 0 and 1".into())
            }
            _ => None,
        }
    }
}
