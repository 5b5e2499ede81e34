//! When something becomes due, told to a store.

use std::time::Duration;

use crate::Timestamp;

/// A time that the store resolves with its own clock, so that a producer whose clock is
/// wrong still delays by the right amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// At this time.
    At(Timestamp),
    /// This long after the store applies the call.
    In(Duration),
}

impl Due {
    /// At once.
    pub const NOW: Self = Self::In(Duration::ZERO);

    /// The point in time meant, where the store's clock shows `now`.
    pub fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::In(span) => now.plus(span),
        }
    }
}
