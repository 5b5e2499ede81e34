//! How far an intake is, for those who watch it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The numbers of one intake.
#[derive(Debug, Default)]
pub(crate) struct FeedStatus {
    fed: AtomicU64,
    refused: AtomicU64,
    at_end: AtomicBool,
    unreadable: Mutex<Option<String>>,
}

impl FeedStatus {
    /// Messages that this process stored.
    pub(crate) fn fed(&self) -> u64 {
        self.fed.load(Ordering::Relaxed)
    }

    /// Files and lines that no message can be made of: over the limit of the queue.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether all there is to read is stored.
    pub(crate) fn at_end(&self) -> bool {
        self.at_end.load(Ordering::Acquire)
    }

    /// What could not be read, in words.
    pub(crate) fn unreadable(&self) -> Option<String> {
        self.unreadable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn add_fed(&self, messages: u64) {
        self.fed.fetch_add(messages, Ordering::Relaxed);
    }

    pub(super) fn add_refused(&self, things: u64) {
        self.refused.fetch_add(things, Ordering::Relaxed);
    }

    pub(super) fn set_at_end(&self, at_end: bool) {
        self.at_end.store(at_end, Ordering::Release);
    }

    /// Sets what cannot be read at present; `true` if that is news.
    pub(super) fn set_unreadable(&self, what: Option<String>) -> bool {
        let mut kept = self
            .unreadable
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let news = *kept != what;
        *kept = what;
        news
    }
}
