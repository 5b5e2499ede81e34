//! What changes while a delivery is worked.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use longshore_core::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Shared by the job, the code that it lent itself to, and the keeper of its lease.
#[derive(Debug)]
pub(crate) struct JobState {
    /// A checkpoint that was set during this delivery; empty clears the stored one.
    pub(crate) checkpoint: Mutex<Option<Bytes>>,
    leased_until: AtomicI64,
    /// When the store last granted the lease, on this process's clock.
    granted: Mutex<Instant>,
    /// How long a grant lasts; `None` outside of a worker, where nothing ends it.
    lease: Option<Duration>,
    lost: AtomicBool,
    pub(crate) holds: AtomicUsize,
    pub(crate) holds_gone: Notify,
}

impl JobState {
    /// The state of a delivery whose lease was granted at `granted`.
    pub(crate) fn new(leased_until: Timestamp, granted: Instant, lease: Option<Duration>) -> Self {
        Self {
            checkpoint: Mutex::default(),
            leased_until: AtomicI64::new(leased_until.as_millis()),
            granted: Mutex::new(granted),
            lease,
            lost: AtomicBool::new(false),
            holds: AtomicUsize::new(0),
            holds_gone: Notify::new(),
        }
    }

    /// The checkpoint to send with a settle.
    pub(crate) fn checkpoint_set(&self) -> Option<Bytes> {
        lock(&self.checkpoint).clone()
    }

    pub(crate) fn leased_until(&self) -> Timestamp {
        Timestamp::from_millis(self.leased_until.load(Ordering::Relaxed))
    }

    /// The store granted the lease again, at the earliest at `asked`: an answer may be read long
    /// after it was given.
    pub(crate) fn extended(&self, asked: Instant) {
        let mut granted = lock(&self.granted);
        // The store's clock moved as much as ours since the last grant.
        let until = self
            .leased_until()
            .plus(asked.saturating_duration_since(*granted));
        self.leased_until
            .store(until.as_millis(), Ordering::Relaxed);
        *granted = asked;
    }

    /// Until when the lease surely holds, on this process's clock.
    pub(crate) fn held_until(&self) -> Option<Instant> {
        Some(self.granted() + self.lease?)
    }

    pub(crate) fn granted(&self) -> Instant {
        *lock(&self.granted)
    }

    pub(crate) fn lose(&self) {
        self.lost.store(true, Ordering::Release);
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}

/// A lock whose holder panicked still guards whole values here: each change is one assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
