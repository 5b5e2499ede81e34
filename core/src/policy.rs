//! Error policies and the pure decision what becomes of a failed attempt.

mod clause;
mod decide;
mod delay;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use clause::{Clause, ClauseAction};
pub use decide::Decision;
pub use delay::{DelayTable, Jitter};

/// How often and when a failed message is tried again.
///
/// The defaults are Camel's documented ones: 6 redeliveries (so 7 attempts), 1 s apart, jitter
/// 0.15 of the unjittered delay.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ErrorPolicy {
    /// How many attempts may follow the first.
    pub redeliveries: u32,
    /// The delay before the first retry.
    pub delay: Duration,
    /// Each further delay is this much longer.
    pub multiplier: f64,
    /// No delay is longer, jitter aside.
    pub delay_max: Duration,
    /// How delays are spread.
    pub jitter: Jitter,
    /// Fixed delays from given retries on; they replace `delay`, `multiplier` and `delay_max`.
    pub delays: Option<DelayTable>,
    /// What differs for particular failures.
    pub clauses: Vec<Clause>,
}

impl Default for ErrorPolicy {
    fn default() -> Self {
        Self {
            redeliveries: 6,
            delay: Duration::from_secs(1),
            multiplier: 1.0,
            delay_max: Duration::from_secs(60),
            jitter: Jitter::Fraction(0.15),
            delays: None,
            clauses: Vec::new(),
        }
    }
}

/// The keys a policy or a clause sets; the rest is inherited one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyChange {
    /// See [`ErrorPolicy::redeliveries`].
    pub redeliveries: Option<u32>,
    /// See [`ErrorPolicy::delay`].
    pub delay: Option<Duration>,
    /// See [`ErrorPolicy::multiplier`].
    pub multiplier: Option<f64>,
    /// See [`ErrorPolicy::delay_max`].
    pub delay_max: Option<Duration>,
    /// See [`ErrorPolicy::jitter`].
    pub jitter: Option<Jitter>,
    /// See [`ErrorPolicy::delays`].
    pub delays: Option<DelayTable>,
}

impl ErrorPolicy {
    /// This policy with the keys that `change` sets. A change that sets `delay` and no table
    /// drops an inherited table, which would hide it.
    #[must_use]
    pub fn with(&self, change: &PolicyChange) -> Self {
        let mut policy = self.clone();
        policy.redeliveries = change.redeliveries.unwrap_or(policy.redeliveries);
        policy.delay = change.delay.unwrap_or(policy.delay);
        policy.multiplier = change.multiplier.unwrap_or(policy.multiplier);
        policy.delay_max = change.delay_max.unwrap_or(policy.delay_max);
        policy.jitter = change.jitter.unwrap_or(policy.jitter);
        if change.delays.is_some() || change.delay.is_some() {
            policy.delays.clone_from(&change.delays);
        }
        policy
    }

    /// How many attempts this policy allows, clauses aside.
    pub fn attempts(&self) -> u32 {
        self.redeliveries.saturating_add(1)
    }

    /// The greatest number of attempts that this policy or any clause of it can give.
    pub fn attempts_max(&self) -> u32 {
        let clauses = self
            .clauses
            .iter()
            .filter_map(|clause| clause.change.redeliveries);
        clauses
            .chain([self.redeliveries])
            .max()
            .unwrap_or(0)
            .saturating_add(1)
    }

    /// How long all retries together bridge, jitter aside.
    pub fn span(&self) -> Duration {
        // Delays stop growing soon; the bound keeps a huge count from looping for long.
        let listed = self.redeliveries.min(10_000);
        let sum = (1..=listed).fold(Duration::ZERO, |sum, n| sum.saturating_add(self.base(n)));
        let rest = self.redeliveries - listed;
        sum.saturating_add(self.base(self.redeliveries.max(1)).saturating_mul(rest))
    }
}
