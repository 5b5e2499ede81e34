//! One process: its clock, its pauses, its end.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fastrand::Rng;
use longshore_core::{Clock, StepListener, Timestamp};
use tokio::time::{Instant, sleep_until};

use super::network::Network;
use super::weather::{Health, STORM, millis};

/// The wall clock of a process, which is off by a little.
#[derive(Debug)]
struct SkewedClock {
    started: Instant,
    skew_ms: i64,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let passed = self.started.elapsed().as_millis() as i64;
        Timestamp::from_millis(1_767_225_600_000 + passed + self.skew_ms)
    }

    fn on_step(&self, _listener: Weak<dyn StepListener>) {}
}

/// A process that talks to the network.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) network: Arc<Network>,
    clock: Arc<SkewedClock>,
    health: Health,
    rng: Mutex<Rng>,
    /// Until when it stands still, since the start.
    paused_until: Mutex<Duration>,
    killed: AtomicBool,
    last_stamp: AtomicI64,
}

/// What NTP leaves of a clock's error.
pub(super) const ON_TIME: Duration = Duration::from_millis(120);

impl Process {
    pub(super) fn new(network: &Arc<Network>, rng: &mut Rng) -> Arc<Self> {
        let health = Health::of(rng);
        let clock = SkewedClock {
            started: Instant::now() - network.elapsed(),
            skew_ms: health.skew_ms,
        };
        Arc::new(Self {
            network: network.clone(),
            clock: Arc::new(clock),
            health,
            rng: Mutex::new(rng.fork()),
            paused_until: Mutex::default(),
            killed: AtomicBool::new(false),
            last_stamp: AtomicI64::new(0),
        })
    }

    /// The clock on its wall.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Whether its clock is right, but for what NTP leaves.
    pub(super) fn is_on_time(&self) -> bool {
        Duration::from_millis(self.clock.skew_ms.unsigned_abs()) <= ON_TIME
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Between two steps of the process: it may stand still here, and all of it does. Never goes
    /// on once the process was killed.
    pub(super) async fn step(&self) {
        let now = self.network.elapsed();
        if now < STORM {
            let pause = self.health.pause(&mut locked(&self.rng));
            let mut until = locked(&self.paused_until);
            *until = (*until).max((now + pause).min(STORM));
        }
        loop {
            let until = *locked(&self.paused_until);
            if until <= self.network.elapsed() {
                break;
            }
            sleep_until(self.clock.started + until).await;
        }
        if self.is_killed() {
            std::future::pending::<()>().await;
        }
    }

    /// What it has sent is still on its way.
    pub(super) fn kill(&self) {
        self.killed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// A random number of milliseconds.
    pub(super) fn some_time(&self, most: u64) -> Duration {
        millis(&mut locked(&self.rng), most)
    }

    /// One of so many.
    pub(super) fn one_of(&self, many: usize) -> usize {
        locked(&self.rng).usize(0..many)
    }

    /// The timestamp of its next write, as a driver makes them: µs, never the same twice.
    pub(super) fn stamp(&self) -> i64 {
        let now = self.clock.now().as_millis() * 1000;
        let next = |last: i64| Some(now.max(last + 1));
        let before = self
            .last_stamp
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        now.max(before.unwrap_or_default() + 1)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
