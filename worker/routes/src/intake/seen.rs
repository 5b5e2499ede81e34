//! What this process saw of files.

use std::time::{Duration, Instant};

use crate::intake::listing::Found;
use crate::intake::record::Stat;

/// What this process saw of a file the last time.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) stat: Stat,
    since: Instant,
    /// Whether nothing of it has to be done until it changes.
    pub(super) done: bool,
    pub(super) refused: bool,
}

impl Seen {
    pub(super) fn new(stat: Stat) -> Self {
        Self {
            stat,
            since: Instant::now(),
            done: false,
            refused: false,
        }
    }

    /// For how long this process has seen the file as it is.
    pub(super) fn unchanged_for(&self, found: &Found) -> Duration {
        if self.stat == found.stat {
            self.since.elapsed()
        } else {
            Duration::ZERO
        }
    }
}
