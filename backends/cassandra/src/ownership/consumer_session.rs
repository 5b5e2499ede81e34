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
pub(crate) struct Residence(Mutex<Visits>);

#[derive(Debug, Default)]
struct Visits {
    now: usize,
    /// Of them, how many wait for messages.
    waiting: usize,
    last: Option<Instant>,
    is_resident: bool,
}

/// A receive that is under way.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    residence: &'a Residence,
    waits: bool,
}

impl Residence {
    fn visits(&self) -> MutexGuard<'_, Visits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a receive that may wait so long.
    pub(crate) fn enter(&self, wait_max: Duration) -> Visit<'_> {
        let mut visits = self.visits();
        visits.is_resident = visits.last.is_some_and(|at| at.elapsed() < RESIDENT_FOR);
        visits.now += 1;
        visits.last = Some(Instant::now());
        let waits = wait_max >= WAITS_FROM;
        visits.waiting += usize::from(waits);
        Visit {
            residence: self,
            waits,
        }
    }

    /// Whether stripes are kept after a call, whatever it found.
    pub(crate) fn is_resident(&self) -> bool {
        self.visits().is_resident
    }

    /// Whether stripes are kept while nothing is found: who waits has to hear of what comes, and
    /// only owners do.
    pub(crate) fn stays(&self) -> bool {
        let visits = self.visits();
        visits.is_resident || visits.waiting > 0
    }

    /// For how long nobody has received; `None` while somebody does.
    pub(crate) fn idle_for(&self) -> Option<Duration> {
        let visits = self.visits();
        if visits.now > 0 {
            return None;
        }
        Some(visits.last.map_or(Duration::MAX, |at| at.elapsed()))
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut visits = self.residence.visits();
        visits.now -= 1;
        visits.waiting -= usize::from(self.waits);
        visits.last = Some(Instant::now());
    }
}
