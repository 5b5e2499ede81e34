//! One line a minute about what a worker did.

use std::time::Duration;

use longshore_routes::{Progress, RunnerHandle};
use tokio::time::{Interval, MissedTickBehavior, interval_at};

/// Counts from one line to the next.
#[derive(Debug)]
pub(super) struct Minutes {
    handle: RunnerHandle,
    each: Duration,
    /// `None` where nothing is to be told.
    beat: Option<Interval>,
    last: Progress,
}

impl Minutes {
    /// Begins to count.
    pub(super) fn new(handle: RunnerHandle, each: Duration) -> Self {
        let beat = (!each.is_zero()).then(|| {
            let mut beat = interval_at(tokio::time::Instant::now() + each, each);
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            beat
        });
        Self {
            last: handle.stats(),
            handle,
            each,
            beat,
        }
    }

    /// Waits until it is time and writes the line, if there is anything to tell. Dropping the
    /// future loses nothing.
    pub(super) async fn tell(&mut self) {
        match &mut self.beat {
            Some(beat) => beat.tick().await,
            None => std::future::pending().await,
        };
        let now = self.handle.stats();
        let since = |of: fn(&Progress) -> u64| of(&now).saturating_sub(of(&self.last));
        let acked = since(|it| it.acked);
        let retried = since(|it| it.retried);
        let dead = since(|it| it.dead);
        let released = since(|it| it.released);
        if acked + retried + dead + released + now.running > 0 {
            tracing::info!(acked, retried, dead, released, running = now.running, slots = now.slots, within = ?self.each, "so far");
        }
        self.last = now;
    }
}
