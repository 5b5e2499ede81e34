//! The messages of a shard in memory: what may be handed out, and what happens by time.
//!
//! It decides and remembers; it reads and writes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use longshore_core::{GroupName, Lane, Timestamp};
use uuid::Uuid;

use crate::shard::completed::Completed;
use crate::shard::entry::{Entry, Phase, Place};

/// A shard's messages and the lists they are on.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) entries: HashMap<Uuid, Entry>,
    /// Live messages in queue order.
    pub(crate) order: BTreeSet<Place>,
    /// Dead ones, oldest first.
    pub(crate) dead: BTreeMap<DeadPlace, Uuid>,
    /// What the next receive may take, by lane: ready ones and those with an ended lease.
    ready: [BTreeSet<Place>; 3],
    /// By their places among those of one time: the order of their groups.
    due: BTreeSet<(Timestamp, Place)>,
    lease_ends: BTreeSet<(Timestamp, Uuid)>,
    groups: HashMap<GroupName, Group>,
    /// Messages that are done: how a late copy of one is told.
    done: Completed,
    /// Before this time all messages were read: members of groups that are younger wait.
    pub(crate) frontier_ms: i64,
    /// Decides which lane goes first.
    pub(crate) turn: u64,
}

/// Where a dead letter stands: time of death, order, id.
pub(crate) type DeadPlace = (Timestamp, i64, Uuid);

/// A group that has members.
#[derive(Debug, Default)]
struct Group {
    /// The one member that is ready, leased or in back-off.
    head: Option<Uuid>,
    /// The others that are due.
    behind: BTreeSet<Place>,
    /// Dead members that hold it.
    parked_by: BTreeSet<Uuid>,
}

impl Index {
    /// Puts an entry on the lists that its state says. A member of a group may wait behind:
    /// [`Self::admit`] follows once all are in.
    pub(crate) fn put(&mut self, mut entry: Entry, now: Timestamp) {
        let (id, place) = (entry.id(), entry.place());
        if let Some(death) = &entry.state.dead {
            if death.parks
                && let Some(group) = &entry.group
            {
                let group = self.groups.entry(group.clone()).or_default();
                group.parked_by.insert(id);
            }
            self.dead.insert((death.at, death.sequence, id), id);
            entry.phase = Phase::Dead;
            self.entries.insert(id, entry);
            return;
        }
        self.order.insert(place);
        let due = entry.state.due();
        entry.phase = match entry.phase {
            Phase::Leased(until) => {
                self.lead(&entry);
                if until > now {
                    self.lease_ends.insert((until, id));
                } else {
                    self.ready_of(&entry).insert(place);
                }
                Phase::Leased(until)
            }
            _ if entry.state.aside_until() > now => {
                let until = entry.state.aside_until();
                self.lead(&entry);
                self.due.insert((until, place));
                Phase::SetAside(until)
            }
            _ if due > now => {
                if entry.state.heads {
                    self.lead(&entry);
                }
                self.due.insert((due, place));
                Phase::Delayed
            }
            _ if entry.state.heads => self.put_head(&entry),
            _ => self.put_due(&entry),
        };
        self.entries.insert(id, entry);
    }

    fn put_head(&mut self, entry: &Entry) -> Phase {
        self.lead(entry);
        self.ready_of(entry).insert(entry.place());
        Phase::Ready
    }

    fn put_due(&mut self, entry: &Entry) -> Phase {
        if let Some(name) = &entry.group {
            let group = self.groups.entry(name.clone()).or_default();
            group.behind.insert(entry.place());
            return Phase::Estimate;
        }
        self.ready_of(entry).insert(entry.place());
        Phase::Ready
    }

    fn lead(&mut self, entry: &Entry) {
        if let Some(name) = &entry.group {
            let group = self.groups.entry(name.clone()).or_default();
            group.head.get_or_insert(entry.id());
        }
    }

    fn ready_of(&mut self, entry: &Entry) -> &mut BTreeSet<Place> {
        &mut self.ready[usize::from(entry.lane.number())]
    }

    /// Takes an entry off all lists. Its group has no head until [`Self::admit`] is called.
    pub(crate) fn take(&mut self, id: Uuid) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        let place = entry.place();
        self.order.remove(&place);
        self.ready_of(&entry).remove(&place);
        match entry.phase {
            Phase::Delayed => {
                self.due.remove(&(entry.state.due(), place));
            }
            Phase::SetAside(until) => {
                self.due.remove(&(until, place));
            }
            Phase::Leased(until) => {
                self.lease_ends.remove(&(until, id));
            }
            Phase::Ready | Phase::Estimate | Phase::Dead => {}
        }
        if let Some(death) = &entry.state.dead {
            self.dead.remove(&(death.at, death.sequence, id));
        }
        if let Some(group) = entry.group.as_ref().and_then(|it| self.groups.get_mut(it)) {
            group.behind.remove(&place);
            group.parked_by.remove(&id);
            if group.head == Some(id) {
                group.head = None;
            }
        }
        Some(entry)
    }

    /// Makes the next member of a group ready if it has no head and nothing holds it.
    pub(crate) fn admit(&mut self, name: &GroupName) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        if group.head.is_some() || !group.parked_by.is_empty() {
            return;
        }
        let Some(next) = group.behind.first().copied() else {
            self.groups.remove(name);
            return;
        };
        if next.at_ms >= self.frontier_ms {
            // An older one may turn up.
            return;
        }
        group.behind.remove(&next);
        group.head = Some(next.id);
        if let Some(entry) = self.entries.get_mut(&next.id) {
            entry.phase = Phase::Ready;
            self.ready[usize::from(entry.lane.number())].insert(next);
        }
    }

    /// Makes the next member of each group ready, after many were put in.
    pub(crate) fn admit_all(&mut self) {
        let names: Vec<_> = self.groups.keys().cloned().collect();
        for name in names {
            self.admit(&name);
        }
    }

    /// Replaces the state of an entry and lets its group go on.
    pub(crate) fn replace(&mut self, entry: Entry, now: Timestamp) {
        let group = entry.group.clone();
        self.put(entry, now);
        if let Some(group) = group {
            self.admit(&group);
        }
    }

    /// Catches up with the clock.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        while let Some(&(_, place)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.pop_first();
            if let Some(entry) = self.take(place.id) {
                self.replace(entry, now);
            }
        }
        while let Some(&(_, id)) = self.lease_ends.first().filter(|(at, _)| *at <= now) {
            self.lease_ends.pop_first();
            if let Some(entry) = self.entries.get(&id) {
                let (place, lane) = (entry.place(), entry.lane);
                self.ready[usize::from(lane.number())].insert(place);
            }
        }
    }

    /// When the clock changes something that a receiver waits for.
    pub(crate) fn next_change(&self) -> Option<Timestamp> {
        let due = self.due.first().map(|(at, _)| *at);
        let end = self.lease_ends.first().map(|(at, _)| *at);
        [due, end].into_iter().flatten().min()
    }

    /// How many messages of a priority may be handed out.
    pub(crate) fn ready_len(&self, lane: i8) -> usize {
        let lane = usize::try_from(lane).unwrap_or(usize::MAX);
        self.ready.get(lane).map_or(0, BTreeSet::len)
    }

    /// The place of the last of so many ready messages of a lane.
    pub(crate) fn nth_ready(&self, lane: i8, count: usize) -> Option<&Place> {
        let lane = self.ready.get(usize::try_from(lane).ok()?)?;
        lane.iter().nth(count.saturating_sub(1))
    }

    /// Whether something may be handed out by then.
    pub(crate) fn is_ready_at(&self, now: Timestamp) -> bool {
        let waits = self.ready.iter().any(|lane| !lane.is_empty());
        waits || self.next_change().is_some_and(|at| at <= now)
    }

    /// The next message to hand out, of the first lane that may give one and has one. It stays on
    /// no list of ready ones.
    pub(crate) fn pop_ready_of(
        &mut self,
        order: [Lane; 3],
        may_give: impl Fn(usize) -> bool,
    ) -> Option<Uuid> {
        let lanes = order.map(|lane| usize::from(lane.number())).into_iter();
        lanes
            .filter(|lane| may_give(*lane))
            .find_map(|lane| self.ready[lane].pop_first())
            .map(|place| place.id)
    }

    /// The first of the members that wait behind the head of a group.
    pub(crate) fn first_behind(&self, name: &GroupName) -> Option<Place> {
        self.groups.get(name)?.behind.first().copied()
    }

    /// Whether a group has no head and is held by nobody.
    pub(crate) fn may_lead(&self, name: &GroupName) -> bool {
        let group = self.groups.get(name);
        group.is_none_or(|group| group.head.is_none() && group.parked_by.is_empty())
    }

    /// Whether a message is the head of its group.
    pub(crate) fn is_head(&self, entry: &Entry) -> bool {
        let group = entry.group.as_ref().and_then(|name| self.groups.get(name));
        group.is_some_and(|group| group.head == Some(entry.id()))
    }

    /// Whether a group has a head, waiting members or is held.
    pub(crate) fn has_group(&self, name: &GroupName) -> bool {
        self.groups.contains_key(name)
    }

    /// Remembers the end of a message.
    pub(crate) fn finish(&mut self, id: Uuid, born: i64, known_until: Timestamp, now: Timestamp) {
        self.done.add(id, born, known_until, now);
    }

    /// Whether a row of this id and birth repeats a message that is done.
    pub(crate) fn is_repeat(&self, id: Uuid, born: i64) -> bool {
        self.done.is_repeat(id, born)
    }
}
