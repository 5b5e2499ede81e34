//! Where a batch may go by bare commands.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use longshore_core::QueueName;

use crate::sync::locked;

/// What a handle knows of it. A script goes first in each partition, since bare commands cannot
/// stop at what they find, and again after each failure.
#[derive(Debug, Default)]
pub(crate) struct DirectGate(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    /// The partitions that a script found as they should be.
    found: HashMap<QueueName, HashSet<u16>>,
    /// The user may not open transactions.
    denied: bool,
}

impl DirectGate {
    /// Whether the next batch may.
    pub(crate) fn is_open(&self, queue: &QueueName, partition: u16) -> bool {
        let gate = locked(&self.0);
        let found = gate.found.get(queue);
        !gate.denied && found.is_some_and(|found| found.contains(&partition))
    }

    /// Whether no batch ever may.
    pub(crate) fn is_denied(&self) -> bool {
        locked(&self.0).denied
    }

    /// Notes what the server said about transactions after a script had stored a batch.
    pub(crate) fn note(&self, queue: &QueueName, partition: u16, allowed: bool) {
        let mut gate = locked(&self.0);
        gate.denied = !allowed;
        let found = gate.found.entry(queue.clone()).or_default();
        found.insert(partition);
    }

    /// Something failed: a script looks first, everywhere.
    pub(crate) fn forget(&self) {
        locked(&self.0).found.clear();
    }
}
