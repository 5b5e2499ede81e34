//! Whether a process lives here, or passes by.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a receive may take to get messages that another process has.
pub(crate) const HANDOVER_MAX: Duration = Duration::from_secs(3);

/// Who receives twice within this time lives here: it keeps its stripes between the calls.
const RESIDENT_FOR: Duration = Duration::from_secs(10);

/// A receive that may wait so long is worth a handover.
const WAITS_FROM: Duration = Duration::from_millis(500);

/// Whether this process receives again and again, or was called once.
#[derive(Debug, Default)]
pub(crate) struct ConsumerSession(Mutex<Receives>);

#[derive(Debug, Default)]
struct Receives {
    now: usize,
    /// Of them, how many wait for messages.
    waiting: usize,
    last: Option<Instant>,
    is_resident: bool,
}

/// A receive that is under way.
#[derive(Debug)]
pub(crate) struct Receiving<'a> {
    consumer_session: &'a ConsumerSession,
    waits: bool,
}

impl ConsumerSession {
    fn receives(&self) -> MutexGuard<'_, Receives> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a receive that may wait so long.
    pub(crate) fn enter(&self, wait_max: Duration) -> Receiving<'_> {
        let mut receives = self.receives();
        receives.is_resident = receives.last.is_some_and(|at| at.elapsed() < RESIDENT_FOR);
        receives.now += 1;
        receives.last = Some(Instant::now());
        let waits = wait_max >= WAITS_FROM;
        receives.waiting += usize::from(waits);
        Receiving {
            consumer_session: self,
            waits,
        }
    }

    /// Whether stripes are kept after a call, whatever it found.
    pub(crate) fn is_resident(&self) -> bool {
        self.receives().is_resident
    }

    /// Whether stripes are kept while nothing is found: who waits has to hear of what comes, and
    /// only owners do.
    pub(crate) fn stays(&self) -> bool {
        let receives = self.receives();
        receives.is_resident || receives.waiting > 0
    }

    /// For how long nobody has received; `None` while a receive is under way.
    pub(crate) fn idle_for(&self) -> Option<Duration> {
        let receives = self.receives();
        if receives.now > 0 {
            return None;
        }
        Some(receives.last.map_or(Duration::MAX, |at| at.elapsed()))
    }
}

impl Drop for Receiving<'_> {
    fn drop(&mut self) {
        let mut receives = self.consumer_session.receives();
        receives.now -= 1;
        receives.waiting -= usize::from(self.waits);
        receives.last = Some(Instant::now());
    }
}
