//! How deep queues are, for the limit that some have.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

/// So long an estimate is believed; what this process stores meanwhile is added.
const BELIEVED_FOR: Duration = Duration::from_secs(1);

/// Maximum cached queues; the cache is cleared when full.
const KEPT_MAX: usize = 1000;

/// The last estimates.
#[derive(Debug, Default)]
pub(crate) struct Depths(Mutex<HashMap<Uuid, (Instant, usize)>>);

impl Depths {
    /// The depth of a queue that was estimated a moment ago, with `more` messages.
    pub(crate) fn add(&self, queue: Uuid, more: usize) -> Option<usize> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, depth) = known.get_mut(&queue)?;
        if at.elapsed() >= BELIEVED_FOR {
            return None;
        }
        *depth += more;
        Some(*depth)
    }

    /// Remembers an estimate.
    pub(crate) fn keep(&self, queue: Uuid, depth: usize) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT_MAX {
            known.clear();
        }
        known.insert(queue, (Instant::now(), depth));
    }
}
