//! Where a batch may go by bare commands.

use std::collections::{HashMap, HashSet};

use longshore_core::QueueName;

/// What a handle knows of it. A script goes first in each partition, since bare commands cannot
/// stop at what they find, and again after each failure.
#[derive(Debug, Default)]
pub(crate) struct Fit {
    /// The partitions that a script found as they should be.
    found: HashMap<QueueName, HashSet<u16>>,
    /// The user may not open transactions.
    denied: bool,
}

impl Fit {
    /// Whether the next batch may.
    pub(crate) fn holds(&self, queue: &QueueName, partition: u16) -> bool {
        let found = self.found.get(queue);
        !self.denied && found.is_some_and(|found| found.contains(&partition))
    }

    /// Whether no batch ever may.
    pub(crate) fn is_denied(&self) -> bool {
        self.denied
    }

    /// Notes what the server said about transactions after a script had stored a batch.
    pub(crate) fn note(&mut self, queue: &QueueName, partition: u16, allowed: bool) {
        self.denied = !allowed;
        let found = self.found.entry(queue.clone()).or_default();
        found.insert(partition);
    }

    /// Something failed: a script looks first, everywhere.
    pub(crate) fn forget(&mut self) {
        self.found.clear();
    }
}
