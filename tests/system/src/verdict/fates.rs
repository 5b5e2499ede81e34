//! What became of each job.

use std::collections::BTreeSet;

use super::Violation;
use crate::{History, Moment};

/// Nothing is lost, nothing is invented, nothing is in two places.
pub(super) fn judge(history: &History) -> Vec<Violation> {
    let finished: BTreeSet<u64> = history.effects.keys(Moment::End).collect();
    let started: BTreeSet<u64> = history.effects.keys(Moment::Start).collect();
    let is_somewhere = |key: &u64| {
        finished.contains(key) || history.live.contains(key) || history.dead.contains_key(key)
    };
    let lost = history.stored.iter().filter(|key| !is_somewhere(key));

    let seen = started.iter().chain(&finished).chain(&history.live);
    let seen = seen.chain(history.dead.keys());
    let phantoms = seen.filter(|key| !history.tried.contains(key));

    let dead = history.dead.iter();
    let twofold = dead.filter(|(key, count)| **count > 1 || history.live.contains(key));

    lost.map(|key| Violation::Lost(*key))
        .chain(phantoms.map(|key| Violation::Phantom(*key)))
        .chain(twofold.map(|(key, _)| Violation::Twofold(*key)))
        .collect()
}
