//! Which members of groups may leave.

use std::collections::BTreeSet;

use longshore_core::{GroupName, MessageState, Result, StoredMessage};

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
    /// Members of it were moved.
    begun: BTreeSet<GroupName>,
}

impl Groups {
    /// Looks which groups are held.
    pub(super) async fn look(&mut self, from: &Place) -> Result<()> {
        self.leased.clear();
        self.parked.clear();
        let stats = from.backend.admin.stats(&from.queue).await?;
        let stats = stats.unwrap_or_default();
        if stats.leased > 0 {
            let mut pages = Pages::of_live(from);
            while let Some(page) = pages.next().await? {
                let with_worker =
                    |one: &&StoredMessage| matches!(one.state, MessageState::Leased { .. });
                let held = page.iter().filter(with_worker);
                self.leased.extend(held.filter_map(group));
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

    /// Whether a message may go. After a stop only groups go on that have begun.
    pub(super) fn let_go(&self, one: &StoredMessage, stopped: bool) -> bool {
        match one.group() {
            None => !stopped,
            // A dead one that holds nothing stands in nobody's order.
            Some(_) if one.dead().is_some() => !stopped,
            Some(name) => {
                let held = self.leased.contains(name) || self.parked.contains(name);
                !held && (!stopped || self.begun.contains(name))
            }
        }
    }

    /// Notes that these move now.
    pub(super) fn begin(&mut self, moving: &[StoredMessage]) {
        let live = moving.iter().filter(|one| one.dead().is_none());
        self.begun.extend(live.filter_map(group));
    }

    /// Whether members of groups were moved.
    pub(super) fn have_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// How many of these belong to groups that have begun.
    pub(super) fn count_begun(&self, read: &[StoredMessage]) -> u64 {
        let live = read.iter().filter(|one| one.dead().is_none());
        live.filter_map(|one| one.group())
            .filter(|name| self.begun.contains(*name))
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
