//! Counts of what a worker did.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::RunReport;

/// Grows only.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counts of a worker.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) received: Count,
    pub(crate) acked: Count,
    pub(crate) retried: Count,
    pub(crate) dead: Count,
    pub(crate) released: Count,
    pub(crate) unserved: Count,
    pub(crate) lease_lost: Count,
    pub(crate) dropped: Count,
    pub(crate) receive_errors: Count,
}

impl Counters {
    pub(crate) fn report(&self) -> RunReport {
        RunReport {
            acked: self.acked.get(),
            retried: self.retried.get(),
            dead: self.dead.get(),
            released: self.released.get(),
            lease_lost: self.lease_lost.get(),
            dropped: self.dropped.get(),
        }
    }
}
