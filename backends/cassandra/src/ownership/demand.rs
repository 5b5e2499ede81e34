//! Who receives from which queue in this process, and how long it has gone without.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::ownership::consumer_session::HANDOVER_MAX;
use crate::ownership::rebalance::{Need, is_lately};

/// So many queues are remembered before those that nobody receives from are forgotten.
const QUEUES_MAX: usize = 10_000;

/// Who did not receive for this long begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// Who got nothing for this long starves.
const STARVING_AFTER: Duration = Duration::from_secs(1);

/// How often stripes of others are looked at: at first, and by who has waited for long.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How often they are asked for at first.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How often both is done by who has waited for long, or has enough.
const SELDOM: Duration = Duration::from_secs(1);

/// The appetites of a process.
#[derive(Debug, Default)]
pub(crate) struct Appetites(Mutex<HashMap<Uuid, Appetite>>);

/// What is remembered of a queue.
#[derive(Debug)]
struct Appetite {
    /// Receives that are under way.
    now: usize,
    /// When the last one ended.
    last: Instant,
    /// When something was received last, or the first receive began.
    fed: Instant,
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
pub(crate) struct Eating<'a>(&'a Appetites, Uuid);

impl Appetites {
    fn all(&self) -> MutexGuard<'_, HashMap<Uuid, Appetite>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a receive, for as long as the guard lives.
    pub(crate) fn eat(&self, queue: Uuid) -> Eating<'_> {
        let mut all = self.all();
        if all.len() >= QUEUES_MAX {
            all.retain(|_, appetite| appetite.now > 0);
        }
        let now = Instant::now();
        let appetite = all.entry(queue).or_insert_with(|| Appetite::new(now));
        if appetite.now == 0 && appetite.last.elapsed() > FORGOTTEN_AFTER {
            *appetite = Appetite::new(now);
        }
        appetite.now += 1;
        Eating(self, queue)
    }

    /// Whether somebody receives, or did a moment ago.
    pub(crate) fn is_hungry(&self, queue: Uuid) -> bool {
        let all = self.all();
        all.get(&queue)
            .is_some_and(|appetite| appetite.now > 0 || is_lately(appetite.last.elapsed()))
    }

    /// Notes that something was received.
    pub(crate) fn fed(&self, queue: Uuid) {
        if let Some(appetite) = self.all().get_mut(&queue) {
            appetite.fed = Instant::now();
        }
    }

    /// What to do about stripes that others have. `stays` says whether this process will receive
    /// again, `has` how many shards it has.
    pub(crate) fn search(&self, queue: Uuid, stays: bool, has: u32) -> Search {
        let mut all = self.all();
        let Some(appetite) = all.get_mut(&queue) else {
            return Search::Rest;
        };
        let (hungry_for, now) = (appetite.fed.elapsed(), Instant::now());
        let is_patient = hungry_for >= HANDOVER_MAX;
        let is_due = |last: Option<Instant>, every: Duration| {
            last.is_none_or(|at| at.elapsed() >= if is_patient { SELDOM } else { every })
        };
        if !is_due(appetite.looked, LOOK_EVERY) {
            return Search::Rest;
        }
        appetite.looked = Some(now);
        if !is_due(appetite.asked, ASK_EVERY) {
            return Search::Look;
        }
        appetite.asked = Some(now);
        Search::Ask(if !stays {
            Need::Passing
        } else if has == 0 || hungry_for >= STARVING_AFTER {
            Need::Starving
        } else {
            Need::Share
        })
    }

    /// Whether one who has enough should look for its share again.
    pub(crate) fn is_share_due(&self, queue: Uuid) -> bool {
        let mut all = self.all();
        let Some(appetite) = all.get_mut(&queue) else {
            return false;
        };
        let due = appetite.looked.is_none_or(|at| at.elapsed() >= SELDOM);
        if due {
            appetite.looked = Some(Instant::now());
            appetite.asked = appetite.looked;
        }
        due
    }

    /// When [`Self::search`] has something to do again.
    pub(crate) fn next_search(&self, queue: Uuid) -> Instant {
        let all = self.all();
        let hungry_for = all.get(&queue).map(|appetite| appetite.fed.elapsed());
        let is_patient = hungry_for.is_some_and(|span| span >= HANDOVER_MAX);
        Instant::now() + if is_patient { SELDOM } else { LOOK_EVERY }
    }
}

impl Appetite {
    fn new(now: Instant) -> Self {
        Self {
            now: 0,
            last: now,
            fed: now,
            looked: None,
            asked: None,
        }
    }
}

impl Drop for Eating<'_> {
    fn drop(&mut self) {
        if let Some(appetite) = self.0.all().get_mut(&self.1) {
            appetite.now = appetite.now.saturating_sub(1);
            appetite.last = Instant::now();
        }
    }
}
