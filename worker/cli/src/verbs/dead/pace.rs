//! Going no faster than asked.

use std::time::Instant;

use crate::parse::Rate;

/// Spreads items over time.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Option<Rate>,
    began: Instant,
    done: u64,
}

impl Pace {
    /// A pace that begins now; without a rate as fast as it goes.
    pub(super) fn new(rate: Option<Rate>) -> Self {
        Self {
            rate,
            began: Instant::now(),
            done: 0,
        }
    }

    /// How many may go in one step.
    pub(super) fn step(&self) -> usize {
        self.rate.map_or(usize::MAX, |rate| rate.step() as usize)
    }

    /// Counts `done` more and waits until that many may have gone.
    pub(super) async fn went(&mut self, done: u64) {
        self.done += done;
        if let Some(rate) = self.rate {
            let due = rate.time_for(self.done);
            tokio::time::sleep(due.saturating_sub(self.began.elapsed())).await;
        }
    }
}
