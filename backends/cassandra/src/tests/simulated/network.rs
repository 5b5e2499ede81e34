//! Three replicas and the messages that are on their way to them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::partition::{Change, Partition, Place, What};
use super::weather::{REPLICAS, STORM, Weather, millis};

/// How many replicas make a quorum.
pub(super) const QUORUM: usize = 2;

/// The state of the simulated cluster; virtual time is that of the paused runtime.
#[derive(Debug)]
pub(super) struct Network {
    started: Instant,
    weather: Weather,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rng: Rng,
    replicas: [Replica; REPLICAS],
    /// What lightweight transactions have decided; the replicas learn of it like of other writes.
    decided: BTreeMap<Place, Partition>,
    /// A proposal of which nobody knows yet whether it is decided.
    doubt: BTreeMap<Place, Change>,
    last_ballot: i64,
}

#[derive(Debug, Default)]
struct Replica {
    partitions: BTreeMap<Place, Partition>,
    /// Writes that arrive at a time.
    under_way: BTreeMap<(Duration, u64), Change>,
    sent: u64,
}

impl Replica {
    /// The partition as it is at a time.
    fn partition(&mut self, place: Place, at: Duration) -> &mut Partition {
        while let Some(next) = self
            .under_way
            .first_entry()
            .filter(|next| next.key().0 <= at)
        {
            let change = next.remove();
            self.partitions
                .entry(change.place)
                .or_default()
                .apply(&change);
        }
        self.partitions.entry(place).or_default()
    }

    fn send(&mut self, arrives: Duration, change: Change) {
        self.sent += 1;
        self.under_way.insert((arrives, self.sent), change);
    }
}

/// What became of a lightweight transaction.
pub(super) enum Decision<T> {
    /// It went through; committed at a quorum after the given times.
    StreamProgress(T, [Option<Duration>; REPLICAS]),
    /// Nobody answered.
    InDoubt,
}

impl Network {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let weather = Weather::of(rng);
        let state = State {
            rng: rng.fork(),
            replicas: Default::default(),
            decided: BTreeMap::new(),
            doubt: BTreeMap::new(),
            last_ballot: 0,
        };
        Self {
            started: Instant::now(),
            weather,
            state: Mutex::new(state),
        }
    }

    /// The virtual time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Sends a write to all replicas and answers after how long each of them has it.
    pub(super) fn send(&self, change: &Change) -> [Option<Duration>; REPLICAS] {
        let now = self.elapsed();
        let mut state = self.lock();
        let arrivals = self.arrivals(&mut state.rng, now);
        for (replica, arrival) in state.replicas.iter_mut().zip(arrivals) {
            if let Some(after) = arrival {
                replica.send(now + after, change.clone());
            }
        }
        // What comes after the end of an outage is a hint; it does not count as an answer.
        std::array::from_fn(|replica| {
            arrivals[replica].filter(|_| self.weather.away(replica, now).is_none())
        })
    }

    /// After how long each replica can be asked; nothing for those that are away.
    pub(super) fn reachable(&self) -> [Option<Duration>; REPLICAS] {
        let now = self.elapsed();
        let mut state = self.lock();
        std::array::from_fn(|replica| {
            let after = Self::pace(&mut state.rng, now);
            self.weather.away(replica, now).is_none().then_some(after)
        })
    }

    /// Adds what a replica has of a partition now.
    pub(super) fn sample(&self, replica: usize, place: Place, into: &mut Partition) {
        let now = self.elapsed();
        let mut state = self.lock();
        let found = state.replicas[replica].partition(place, now);
        if found != into {
            into.merge(found);
        }
    }

    /// Gives a replica what a read has found out.
    pub(super) fn repair(&self, replica: usize, place: Place, found: &Partition) {
        let now = self.elapsed();
        let mut state = self.lock();
        let partition = state.replicas[replica].partition(place, now);
        if partition != found {
            partition.merge(found);
        }
    }

    /// Whether the answer of a call is lost on its way back.
    pub(super) fn loses_answer(&self) -> bool {
        let chance = self.weather.answers_lost;
        self.happens(chance)
    }

    /// How long an answer takes.
    pub(super) fn way_back(&self) -> Duration {
        let now = self.elapsed();
        Self::pace(&mut self.lock().rng, now)
    }

    /// Whether fewer replicas than a quorum are there.
    pub(super) fn is_unavailable(&self) -> bool {
        let now = self.elapsed();
        let there = |replica: &usize| self.weather.away(*replica, now).is_none();
        (0..REPLICAS).filter(there).count() < QUORUM
    }

    /// Reads what is decided, after a proposal in doubt was finished or given up; a quorum knows
    /// of it afterwards.
    pub(super) fn serial<T>(&self, place: Place, read: impl FnOnce(&Partition) -> T) -> T {
        let now = self.elapsed();
        let mut state = self.lock();
        state.resolve(place);
        let State {
            decided,
            replicas,
            rng,
            ..
        } = &mut *state;
        let known = decided.entry(place).or_default();
        let away = |replica: &usize| self.weather.away(*replica, now).is_some();
        let left_out = (0..REPLICAS).find(away);
        let left_out = left_out.unwrap_or_else(|| rng.usize(0..REPLICAS));
        for (number, replica) in replicas.iter_mut().enumerate() {
            if number != left_out {
                replica.partition(place, now).merge(known);
            }
        }
        read(known)
    }

    /// Decides a lightweight transaction: `judge` sees what is decided and answers the write, if
    /// its condition holds, and the outcome.
    pub(super) fn decide<T>(
        &self,
        place: Place,
        judge: impl FnOnce(&Partition) -> (Option<What>, T),
    ) -> Decision<T> {
        let now = self.elapsed();
        let doubtful = self.happens(self.weather.doubtful);
        let (what, outcome) = self.serial(place, judge);
        let Some(what) = what else {
            return Decision::StreamProgress(outcome, [Some(Duration::ZERO); REPLICAS]);
        };
        let change = {
            let mut state = self.lock();
            state.last_ballot = (state.last_ballot + 1).max(now.as_micros() as i64);
            let change = Change {
                place,
                stamp: state.last_ballot,
                what,
            };
            if doubtful {
                state.doubt.insert(place, change);
                return Decision::InDoubt;
            }
            state.decided.entry(place).or_default().apply(&change);
            change
        };
        Decision::StreamProgress(outcome, self.send(&change))
    }

    fn arrivals(&self, rng: &mut Rng, now: Duration) -> [Option<Duration>; REPLICAS] {
        std::array::from_fn(|replica| {
            let calm = now >= STORM;
            if !calm && rng.u32(0..1000) < self.weather.dropped {
                return None;
            }
            let mut after = Self::pace(rng, now);
            if !calm && rng.u32(0..1000) < self.weather.stalled {
                after += millis(rng, 900);
            }
            let Some(back) = self.weather.away(replica, now) else {
                return Some(after);
            };
            // A hint is replayed a while after the replica is back, or has been thrown away.
            (rng.u8(0..3) > 0).then(|| back.saturating_sub(now) + millis(rng, 3000))
        })
    }

    fn pace(rng: &mut Rng, now: Duration) -> Duration {
        let most = if now < STORM { 15 } else { 4 };
        millis(rng, most) + Duration::from_micros(200)
    }

    fn happens(&self, out_of_thousand: u32) -> bool {
        self.elapsed() < STORM && self.lock().rng.u32(0..1000) < out_of_thousand
    }

    /// The partitions in which there are rows, once all replicas know all.
    pub(super) fn places(&self) -> Vec<Place> {
        let now = self.elapsed();
        let mut state = self.lock();
        let mut merged: BTreeMap<Place, Partition> = BTreeMap::new();
        for replica in &mut state.replicas {
            let known: Vec<_> = replica.partitions.keys().copied().collect();
            for place in known {
                let found = replica.partition(place, now);
                merged.entry(place).or_default().merge(found);
            }
        }
        merged.retain(|_, partition| partition.iter().next().is_some());
        merged.into_keys().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn resolve(&mut self, place: Place) {
        if let Some(change) = self.doubt.remove(&place)
            && self.rng.bool()
        {
            self.decided.entry(place).or_default().apply(&change);
        }
    }
}
