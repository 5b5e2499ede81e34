//! The order inside groups.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::{History, Moment};

/// Members begin in the order in which they were enqueued, each after the one in front of it was
/// finished, and none comes back once one behind it has begun.
pub(super) fn judge(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut members: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (key, group) in &history.groups {
        members.entry(*group).or_default().push(*key);
    }
    let mut finished = BTreeSet::new();
    let mut furthest: BTreeMap<u64, u64> = BTreeMap::new();
    for effect in history.effects.all() {
        let Some(group) = history.groups.get(&effect.key) else {
            continue;
        };
        if effect.moment == Moment::End {
            finished.insert(effect.key);
            continue;
        }
        let list = members.get(group).map(Vec::as_slice).unwrap_or_default();
        let place = list.partition_point(|member| member < &effect.key);
        let in_front = place.checked_sub(1).and_then(|place| list.get(place));
        let is_early = in_front.is_some_and(|member| !finished.contains(member));
        let is_late = furthest.get(group).is_some_and(|seen| *seen > effect.key);
        if is_early || is_late {
            found.push(Violation::GroupOrder(*group, effect.key));
        }
        let seen = furthest.entry(*group).or_default();
        *seen = effect.key.max(*seen);
    }
    found
}
