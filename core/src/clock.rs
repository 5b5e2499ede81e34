//! The clock that is handed in.

use std::fmt;
use std::sync::Weak;
use std::time::Duration;

use uuid::Uuid;

use crate::Timestamp;

/// Something that must look again when a clock is moved by hand.
pub trait StepListener: Send + Sync {
    /// The clock was moved.
    fn stepped(&self);
}

/// Where a store that has no clock of its own reads the time.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// How long the host has been up. Unlike [`Clock::now`] it never steps, so leases are measured
    /// by it. `None`, which is the default, where that is not known: they go by `now` then.
    fn uptime(&self) -> Option<Uptime> {
        None
    }

    /// Asks to be told when the clock is moved by hand. A clock that only runs ignores it.
    fn on_step(&self, listener: Weak<dyn StepListener>);
}

/// The time since a host was started, also while it was suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uptime {
    /// Which start it was; the same for all processes of the host until it is started again.
    pub boot: Uuid,
    /// The time since then.
    pub elapsed: Duration,
}

/// A clock that stands still until a test moves it.
#[cfg(feature = "test-util")]
pub struct ManualClock {
    now: std::sync::Mutex<Timestamp>,
    listeners: std::sync::Mutex<Vec<Weak<dyn StepListener>>>,
}

#[cfg(feature = "test-util")]
impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Timestamp) -> Self {
        Self {
            now: std::sync::Mutex::new(start),
            listeners: std::sync::Mutex::default(),
        }
    }

    /// Moves the clock forward and wakes everything that waits for a time.
    pub fn advance(&self, span: std::time::Duration) {
        {
            let mut now = self
                .now
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            *now = now.plus(span);
        }
        let listeners: Vec<_> = {
            let mut all = self
                .listeners
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            all.retain(|listener| listener.strong_count() > 0);
            all.clone()
        };
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            listener.stepped();
        }
    }
}

#[cfg(feature = "test-util")]
impl Default for ManualClock {
    /// Shows 2026-01-01T00:00:00Z.
    fn default() -> Self {
        Self::new(Timestamp::from_millis(1_767_225_600_000))
    }
}

#[cfg(feature = "test-util")]
impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

#[cfg(feature = "test-util")]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self
            .now
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn on_step(&self, listener: Weak<dyn StepListener>) {
        let mut all = self
            .listeners
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        all.push(listener);
    }
}
