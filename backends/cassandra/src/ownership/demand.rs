//! Who receives from which queue in this process, and how long it has gone without.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::ownership::consumer_session::HANDOVER_MAX;
use crate::ownership::rebalance::{Need, is_lately};

/// Maximum queues remembered before those that nobody receives from are forgotten.
const QUEUES_MAX: usize = 10_000;

/// A queue that was not received from for this long starts over.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// Who got nothing for this long starves.
const STARVING_AFTER: Duration = Duration::from_secs(1);

/// How often stripes of others are looked at: at first, and by a queue that has waited for long.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How often they are asked for at first.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How often both is done by a queue that has waited for long, or has enough.
const SELDOM: Duration = Duration::from_secs(1);

/// The demand of a process.
#[derive(Debug, Default)]
pub(crate) struct Demand(Mutex<HashMap<Uuid, QueueDemand>>);

/// What is remembered of a queue.
#[derive(Debug)]
struct QueueDemand {
    /// Receives that are under way.
    now: usize,
    /// When the last one ended.
    last: Instant,
    /// When something was received last, or the first receive began.
    served: Instant,
    looked: Option<Instant>,
    asked: Option<Instant>,
}

/// What to do about stripes that others have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// Nothing for now.
    Rest,
    /// Look whether they can be had.
    Look,
    /// And if not, ask for them.
    Ask(Need),
}

/// A receive that is under way.
#[derive(Debug)]
pub(crate) struct WaitingReceive<'a>(&'a Demand, Uuid);

impl Demand {
    fn all(&self) -> MutexGuard<'_, HashMap<Uuid, QueueDemand>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a receive, for as long as the guard lives.
    pub(crate) fn begin_receive(&self, queue: Uuid) -> WaitingReceive<'_> {
        let mut all = self.all();
        if all.len() >= QUEUES_MAX {
            all.retain(|_, demand| demand.now > 0);
        }
        let now = Instant::now();
        let demand = all.entry(queue).or_insert_with(|| QueueDemand::new(now));
        if demand.now == 0 && demand.last.elapsed() > FORGOTTEN_AFTER {
            *demand = QueueDemand::new(now);
        }
        demand.now += 1;
        WaitingReceive(self, queue)
    }

    /// Whether a receive is under way, or was a moment ago.
    pub(crate) fn is_wanted(&self, queue: Uuid) -> bool {
        let all = self.all();
        all.get(&queue)
            .is_some_and(|demand| demand.now > 0 || is_lately(demand.last.elapsed()))
    }

    /// Notes that something was received.
    pub(crate) fn served(&self, queue: Uuid) {
        if let Some(demand) = self.all().get_mut(&queue) {
            demand.served = Instant::now();
        }
    }

    /// What to do about stripes that others have. `stays` says whether this process will receive
    /// again, `has` how many shards it has.
    pub(crate) fn search(&self, queue: Uuid, stays: bool, has: u32) -> Search {
        let mut all = self.all();
        let Some(demand) = all.get_mut(&queue) else {
            return Search::Rest;
        };
        let (unserved_for, now) = (demand.served.elapsed(), Instant::now());
        let is_patient = unserved_for >= HANDOVER_MAX;
        let is_due = |last: Option<Instant>, every: Duration| {
            last.is_none_or(|at| at.elapsed() >= if is_patient { SELDOM } else { every })
        };
        if !is_due(demand.looked, LOOK_EVERY) {
            return Search::Rest;
        }
        demand.looked = Some(now);
        if !is_due(demand.asked, ASK_EVERY) {
            return Search::Look;
        }
        demand.asked = Some(now);
        Search::Ask(if !stays {
            Need::Passing
        } else if has == 0 || unserved_for >= STARVING_AFTER {
            Need::Starving
        } else {
            Need::Share
        })
    }

    /// Whether a queue that has enough should look for its share again.
    pub(crate) fn is_share_due(&self, queue: Uuid) -> bool {
        let mut all = self.all();
        let Some(demand) = all.get_mut(&queue) else {
            return false;
        };
        let due = demand.looked.is_none_or(|at| at.elapsed() >= SELDOM);
        if due {
            demand.looked = Some(Instant::now());
            demand.asked = demand.looked;
        }
        due
    }

    /// When [`Self::search`] has something to do again.
    pub(crate) fn next_search(&self, queue: Uuid) -> Instant {
        let all = self.all();
        let unserved_for = all.get(&queue).map(|demand| demand.served.elapsed());
        let is_patient = unserved_for.is_some_and(|span| span >= HANDOVER_MAX);
        Instant::now() + if is_patient { SELDOM } else { LOOK_EVERY }
    }
}

impl QueueDemand {
    fn new(now: Instant) -> Self {
        Self {
            now: 0,
            last: now,
            served: now,
            looked: None,
            asked: None,
        }
    }
}

impl Drop for WaitingReceive<'_> {
    fn drop(&mut self) {
        if let Some(demand) = self.0.all().get_mut(&self.1) {
            demand.now = demand.now.saturating_sub(1);
            demand.last = Instant::now();
        }
    }
}
