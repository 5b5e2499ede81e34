//! The moves every operation on a queue is made of.

use longshore_core::{GroupName, MessageId, QueueStats, Timestamp};

use crate::schema::{Place, Queue, Row, State};

impl Queue {
    /// Catches up with the clock: what fell due is ready (or joins its group), what is leased
    /// too long may be taken again, what need not be remembered any more is forgotten.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        while let Some((_, place)) = first_until(&self.due, now) {
            self.due.pop_first();
            self.fall_due(place);
        }
        while let Some((_, place)) = first_until(&self.lease_ends, now) {
            self.lease_ends.pop_first();
            if let Some(row) = self.live.get(&place.id) {
                self.ready[usize::from(row.lane.number())].insert(place);
            }
        }
        while let Some(end) = first_until(&self.done_ends, now) {
            self.done_ends.pop_first();
            self.done.remove(&end.1);
        }
        while let Some(end) = first_until(&self.key_ends, now) {
            self.key_ends.pop_first();
            self.keys.remove(&end.1);
        }
    }

    /// When the clock changes something that a receiver waits for.
    pub(crate) fn next_change(&self) -> Option<Timestamp> {
        if self.is_held() {
            return None;
        }
        let due = self.due.first().map(|(at, _)| *at);
        let end = self.lease_ends.first().map(|(at, _)| *at);
        [due, end].into_iter().flatten().min()
    }

    /// Whether nothing may be handed out.
    pub(crate) fn is_held(&self) -> bool {
        self.pause.is_some() || self.moving.is_some()
    }

    fn fall_due(&mut self, place: Place) {
        let Some(group) = self.live.get(&place.id).map(|row| row.group.clone()) else {
            return;
        };
        match group {
            Some(group) if self.head_of(&group) != Some(place.id) => self.join(&group, place),
            _ => self.make_ready(place.id),
        }
    }

    pub(crate) fn make_ready(&mut self, id: MessageId) {
        if let Some(row) = self.live.get_mut(&id) {
            row.state = State::Ready;
            self.ready[usize::from(row.lane.number())].insert(row.place);
        }
    }

    /// Puts a new or changed message where its due time and its group say.
    pub(crate) fn put_in(&mut self, row: Row, now: Timestamp) {
        let (place, due_at, group) = (row.place, row.due_at, row.group.clone());
        self.order.insert(place);
        self.live.insert(place.id, row);
        if due_at > now {
            self.put_off(place.id, due_at, State::Delayed);
        } else if let Some(group) = group {
            self.join(&group, place);
        } else {
            self.make_ready(place.id);
        }
    }

    /// Makes a message wait for a time.
    pub(crate) fn put_off(&mut self, id: MessageId, due_at: Timestamp, state: State) {
        if let Some(row) = self.live.get_mut(&id) {
            row.state = state;
            row.due_at = due_at;
            self.due.insert((due_at, row.place));
        }
    }

    /// Takes a message off all lists that its state put it on.
    pub(crate) fn take_off(&mut self, id: MessageId) {
        let Some(row) = self.live.get(&id) else {
            return;
        };
        self.ready[usize::from(row.lane.number())].remove(&row.place);
        match row.state {
            State::Delayed | State::SetAside => {
                self.due.remove(&(row.due_at, row.place));
            }
            State::Leased { until, .. } => {
                self.lease_ends.remove(&(until, row.place));
            }
            State::Behind => {
                let group = row
                    .group
                    .as_ref()
                    .and_then(|name| self.groups.get_mut(name));
                if let Some(group) = group {
                    group.behind.remove(&row.place);
                }
            }
            State::Ready => {}
        }
    }

    /// Takes a message out of the queue. Its group has no head until [`Self::admit`] is called.
    pub(crate) fn take_out(&mut self, id: MessageId) -> Option<Row> {
        self.take_off(id);
        let row = self.live.remove(&id)?;
        self.order.remove(&row.place);
        if let Some(group) = row
            .group
            .as_ref()
            .and_then(|name| self.groups.get_mut(name))
            && group.head == Some(id)
        {
            group.head = None;
        }
        Some(row)
    }

    fn head_of(&self, group: &GroupName) -> Option<MessageId> {
        self.groups.get(group).and_then(|group| group.head)
    }

    /// The numbers, counted again.
    pub(crate) fn stats(&self, now: Timestamp) -> QueueStats {
        let mut stats = QueueStats::default();
        for row in self.live.values() {
            match row.state {
                State::Leased { .. } if row.state.is_in_hands(now) => stats.leased += 1,
                State::Ready | State::Leased { .. } => {
                    stats.waiting += 1;
                    let age = now.since(row.due_at);
                    stats.oldest_age = stats.oldest_age.max(Some(age));
                }
                State::Behind => stats.waiting += 1,
                State::SetAside => {
                    stats.waiting += 1;
                    stats.set_aside += 1;
                }
                State::Delayed => stats.delayed += 1,
            }
        }
        stats.dead = self.dead.len() as u64;
        stats.parked = self
            .dead
            .values()
            .filter(|dead| dead.mark.parks_group)
            .count() as u64;
        stats.paused.clone_from(&self.pause);
        stats.moving.clone_from(&self.moving);
        stats.settings = self.settings.clone();
        stats.exact = true;
        stats
    }
}

fn first_until<T: Clone + Ord>(
    times: &std::collections::BTreeSet<(Timestamp, T)>,
    now: Timestamp,
) -> Option<(Timestamp, T)> {
    times.first().filter(|(at, _)| *at <= now).cloned()
}
