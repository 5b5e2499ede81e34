//! What happened in a test, as far as it can be seen from outside.

use std::collections::{BTreeMap, BTreeSet};

use crate::Effects;

/// Everything that the checker judges.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The jobs that a producer tried to store.
    pub tried: BTreeSet<u64>,
    /// Those of which it was told that they are stored.
    pub stored: BTreeSet<u64>,
    /// What the handlers did, in the order of their lines.
    pub effects: Effects,
    /// The lives that were ended with `kill -9`, by the test or by a job.
    pub killed: BTreeSet<String>,
    /// The jobs that are still in the queue.
    pub live: BTreeSet<u64>,
    /// The jobs that are dead letters, with how often each is there.
    pub dead: BTreeMap<u64, u32>,
    /// The group of each job that has one; members are enqueued in the order of their numbers.
    pub groups: BTreeMap<u64, u64>,
    /// How many messages one worker may have leased at a time.
    pub leased_max: u32,
}
