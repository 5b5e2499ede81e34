//! The hybrid clock of a process: its time in µs, and never the same twice.

use std::sync::atomic::{AtomicI64, Ordering};

use longshore_core::Timestamp;

/// Gives positions that grow, whatever the clock does.
#[derive(Debug, Default)]
pub(crate) struct Hybrid(AtomicI64);

impl Hybrid {
    /// A position after all before, and not before `now`.
    pub(crate) fn next(&self, now: Timestamp) -> i64 {
        let wanted = now.as_millis().saturating_mul(1000);
        let step = |last: i64| Some(wanted.max(last.saturating_add(1)));
        let last = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
        wanted.max(last.unwrap_or_default().saturating_add(1))
    }

    /// Learns of a position that another process gave, so that later ones come after it.
    pub(crate) fn seen(&self, position: i64, now: Timestamp) {
        // One that runs far ahead is not followed: a wrong clock must not spread.
        if position / 1000 <= now.as_millis() + 1000 {
            self.0.fetch_max(position, Ordering::Relaxed);
        }
    }
}
