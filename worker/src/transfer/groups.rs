//! Which members of groups may leave.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::{GroupName, MessageId, MessageState, Result, StoredMessage, Timestamp};

use super::Place;
use super::pages::Pages;

/// The groups of a queue that is being moved.
///
/// Nothing is handed out meanwhile, so a group that nobody holds when it is looked at is not held
/// later either.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// A worker has a member.
    leased: BTreeSet<GroupName>,
    /// A dead member holds it.
    parked: BTreeSet<GroupName>,
    /// Its head is in back-off. Where that is over in the middle of a walk, the head may come to
    /// lie before what was read: the others wait for it, if need be to the next walk.
    backs_off: BTreeMap<GroupName, MessageId>,
    /// Members of it were moved; the last of them that waited was due then.
    begun: BTreeMap<GroupName, Timestamp>,
}

impl Groups {
    /// Looks which groups are held.
    pub(super) async fn look(&mut self, from: &Place) -> Result<()> {
        self.leased.clear();
        self.parked.clear();
        self.backs_off.clear();
        let stats = from.backend.admin.stats(&from.queue).await?;
        let stats = stats.unwrap_or_default();
        if stats.leased + stats.delayed > 0 {
            let mut pages = Pages::of_live(from);
            while let Some(page) = pages.next().await? {
                for one in &page {
                    self.saw(one);
                }
            }
        }
        if stats.parked > 0 {
            let mut pages = Pages::of_dead(from);
            while let Some(page) = pages.next().await? {
                let held = page.iter().filter(|one| parks(one));
                self.parked.extend(held.filter_map(group));
            }
        }
        Ok(())
    }

    fn saw(&mut self, one: &StoredMessage) {
        let Some(name) = group(one) else {
            return;
        };
        match one.state {
            MessageState::Leased { .. } => {
                self.leased.insert(name);
            }
            // Only a head was ever handed out.
            MessageState::Delayed if one.attempts > 0 => {
                self.backs_off.insert(name, one.id());
            }
            _ => {}
        }
    }

    /// Whether a message may go. After a stop only groups go on that have begun. Asked of each
    /// message that is read, in that order.
    pub(super) fn let_go(&mut self, one: &StoredMessage, stopped: bool) -> bool {
        match one.group() {
            None => !stopped,
            // A dead one that holds nothing stands in nobody's order.
            Some(_) if one.dead().is_some() => !stopped,
            Some(name) => {
                let held = self.leased.contains(name) || self.parked.contains(name);
                let goes = !held && (!stopped || self.begun.contains_key(name));
                match self.backs_off.get(name) {
                    Some(first) if *first != one.id() => false,
                    Some(_) if goes => {
                        self.backs_off.remove(name);
                        true
                    }
                    _ => goes,
                }
            }
        }
    }

    /// Notes that these move now. Stores put members that wait in the order of their due times; one
    /// that is due before another one that it waited behind, by the clock of its producer, is
    /// due with that one from now on.
    pub(super) fn begin(&mut self, moving: &mut [StoredMessage]) {
        for one in moving.iter_mut().filter(|one| is_member(one)) {
            let Some(name) = group(one) else {
                continue;
            };
            let last = self.begun.entry(name).or_insert(Timestamp::EPOCH);
            if one.state == MessageState::Waiting {
                one.due_at = one.due_at.max(*last);
                *last = one.due_at;
            }
        }
    }

    /// Whether members of groups were moved.
    pub(super) fn have_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// How many of these belong to groups that have begun.
    pub(super) fn count_begun(&self, read: &[StoredMessage]) -> u64 {
        let live = read.iter().filter(|one| one.dead().is_none());
        live.filter_map(|one| one.group())
            .filter(|name| self.begun.contains_key(*name))
            .count() as u64
    }
}

fn group(one: &StoredMessage) -> Option<GroupName> {
    one.group().cloned()
}

/// Whether it is a dead member that holds its group.
pub(super) fn parks(one: &StoredMessage) -> bool {
    one.dead().is_some_and(|dead| dead.parks_group)
}

/// Whether it is a live member of a group.
pub(super) fn is_member(one: &StoredMessage) -> bool {
    one.group().is_some() && one.dead().is_none()
}
