//! What goes wrong in one run, drawn from its seed.

use std::time::Duration;

use fastrand::Rng;

/// How many replicas there are.
pub(super) const REPLICAS: usize = 3;
/// When the faults end: what is left over has to be delivered afterwards.
pub(super) const STORM: Duration = Duration::from_secs(600);

/// A span of virtual time since the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: Duration,
    pub(super) to: Duration,
}

impl Window {
    pub(super) fn within(rng: &mut Rng, longest_ms: u64) -> Self {
        let from = millis(rng, STORM.as_millis() as u64);
        let to = from + millis(rng, longest_ms);
        Self {
            from,
            to: to.min(STORM),
        }
    }

    /// The end of it, if `at` lies in it.
    pub(super) fn end_at(self, at: Duration) -> Option<Duration> {
        (self.from <= at && at < self.to).then_some(self.to)
    }
}

/// The faults of the network and of the replicas.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    /// Out of a thousand writes to a replica, how many take up to 0.9 s.
    pub(super) stalled: u32,
    /// … and how many never reach it.
    pub(super) dropped: u32,
    /// Out of a thousand calls, how many answers are lost on the way back.
    pub(super) answers_lost: u32,
    /// Out of a thousand lightweight transactions, how many end in doubt.
    pub(super) doubtful: u32,
    /// Which replica is away when. Now and then two are at a time.
    pub(super) outages: Vec<(usize, Window)>,
}

impl Weather {
    pub(super) fn of(rng: &mut Rng) -> Self {
        let mut outages = Vec::new();
        for _ in 0..rng.u32(0..6) {
            let (replica, window) = (rng.usize(0..REPLICAS), Window::within(rng, 20_000));
            outages.push((replica, window));
            if rng.u8(0..6) == 0 {
                outages.push(((replica + 1) % REPLICAS, window));
            }
        }
        Self {
            stalled: rng.u32(0..150),
            dropped: rng.u32(0..30),
            answers_lost: rng.u32(0..20),
            doubtful: rng.u32(0..60),
            outages,
        }
    }

    /// How long replica `replica` still is away at `at`; nothing if it is there.
    pub(super) fn away(&self, replica: usize, at: Duration) -> Option<Duration> {
        let windows = self.outages.iter().filter(|(which, _)| *which == replica);
        windows.filter_map(|(_, window)| window.end_at(at)).max()
    }
}

/// The faults of one process.
#[derive(Clone, Debug)]
pub(super) struct Health {
    /// Out of a thousand calls, how many are followed by a pause of up to 0.9 s.
    hiccups: u32,
    /// … and how many by one of up to 300 s: longer than anybody waits for anything.
    pauses: u32,
    /// How far its wall clock is off, in ms.
    pub(super) skew_ms: i64,
}

impl Health {
    pub(super) fn of(rng: &mut Rng) -> Self {
        // Half of the clocks are wrong by more than any budget: that may cost time, not messages.
        let skew_ms = if rng.bool() {
            rng.i64(-120..=120)
        } else {
            rng.i64(-300_000..=30_000)
        };
        Self {
            hiccups: rng.u32(0..20),
            pauses: rng.u32(0..5),
            skew_ms,
        }
    }

    /// How long the process stands still after a call.
    pub(super) fn pause(&self, rng: &mut Rng) -> Duration {
        match rng.u32(0..1000) {
            drawn if drawn < self.pauses => millis(rng, 300_000),
            drawn if drawn < self.pauses + self.hiccups => millis(rng, 900),
            _ => Duration::ZERO,
        }
    }
}

/// Up to so many milliseconds.
pub(super) fn millis(rng: &mut Rng, most: u64) -> Duration {
    Duration::from_micros(rng.u64(0..most * 1000))
}
