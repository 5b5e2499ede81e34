//! The decision what becomes of a failed attempt.

use std::time::Duration;

use super::{ClauseAction, ErrorPolicy};
use crate::{DeadReason, Failure, FailureClass};

/// A release for something that is away waits this long at first, then twice as long each time.
const AWAY_DELAY: Duration = Duration::from_secs(1);
/// And never longer than this.
const AWAY_DELAY_MAX: Duration = Duration::from_secs(60);
/// A delay that a failure asks for (`Retry-After`) is honoured up to this.
const RETRY_HINT_MAX: Duration = Duration::from_secs(3600);

/// What becomes of a failed attempt.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Decision {
    /// Try again after this.
    Retry(Duration),
    /// Put it back after this, uncharged: what it needs is away.
    Release(Duration),
    /// Give it up.
    DeadLetter(DeadReason),
    /// A clause does something else.
    Action(ClauseAction),
}

impl ErrorPolicy {
    /// Decides about a failure of attempt number `attempt` (from 1). `away` counts the releases
    /// of this message in a row because something was away; `random` is from 0 to 1.
    pub fn decide(&self, failure: &Failure, attempt: u32, away: u32, random: f64) -> Decision {
        let clause = self.winner(failure.labelled());
        let charged = clause.is_some_and(|clause| clause.change.redeliveries.is_some());
        match clause.and_then(|clause| clause.action.as_ref()) {
            Some(ClauseAction::DeadLetter) => {
                return Decision::DeadLetter(DeadReason::Permanent);
            }
            Some(action) => return Decision::Action(action.clone()),
            None => {}
        }
        if failure.class() == FailureClass::Away && !charged {
            let delay = AWAY_DELAY
                .saturating_mul(1 << away.min(6))
                .min(AWAY_DELAY_MAX);
            return Decision::Release(failure.retry_hint().map_or(delay, |hint| delay.max(hint)));
        }
        if failure.is_permanent() && !charged {
            return Decision::DeadLetter(DeadReason::Permanent);
        }
        let policy = clause.map_or_else(|| self.clone(), |clause| self.with(&clause.change));
        if attempt >= policy.attempts() {
            return Decision::DeadLetter(DeadReason::Exhausted);
        }
        let delay = policy.delay_for(attempt, random);
        let hint = failure.retry_hint().unwrap_or_default().min(RETRY_HINT_MAX);
        Decision::Retry(delay.max(hint))
    }

    /// Whether a delivery is given up without running it: its attempt is beyond every limit this
    /// policy can give, or too many deliveries vanished in a row.
    pub fn refuses(&self, attempt: u32, vanished: u32) -> Option<DeadReason> {
        if vanished > self.redeliveries {
            return Some(DeadReason::Vanished);
        }
        (attempt > self.attempts_max()).then_some(DeadReason::Exhausted)
    }
}
