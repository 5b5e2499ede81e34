//! Dead letters: burying, redriving, discarding.

use longshore_core::{Changed, Content, DeadMark, MessageId, Timestamp};

use crate::schema::{DeadPlace, DeadRow, Place, Queue, Row};

impl Queue {
    /// Moves a live message to the dead letters and admits its successor.
    pub(crate) fn dead_letter(&mut self, id: MessageId, mark: DeadMark, number: u64) {
        let Some(row) = self.take_out(id) else {
            return;
        };
        let group = row.group.clone();
        self.put_dead(row, mark, number);
        if let Some(group) = &group {
            self.admit(group);
        }
    }

    /// Adds a dead letter; it parks its group if its mark says so and it has one.
    pub(crate) fn put_dead(&mut self, row: Row, mut mark: DeadMark, number: u64) {
        let id = row.id();
        match &row.group {
            Some(group) if mark.parks_group => self.park(group, id),
            _ => mark.parks_group = false,
        }
        let place = DeadPlace {
            dead_at: mark.dead_at,
            sequence: number,
        };
        self.dead_places.insert(id, place);
        self.dead.insert(place, DeadRow { row, mark });
    }

    /// Takes a dead letter out; its group is not held by it any more.
    fn exhume(&mut self, id: MessageId) -> Option<DeadRow> {
        let place = self.dead_places.remove(&id)?;
        let dead = self.dead.remove(&place)?;
        if let Some(group) = &dead.row.group {
            self.unpark(group, id);
        }
        Some(dead)
    }

    /// Makes a dead letter live again, at the tail of its queue. One that parked its group
    /// becomes the head of it.
    pub(crate) fn redrive(&mut self, id: MessageId, now: Timestamp, number: u64) -> Changed {
        let place = self.dead_places.get(&id).copied();
        let Some(found) = place.and_then(|place| self.dead.get(&place)) else {
            return Changed::NotFound;
        };
        if !matches!(found.row.content, Content::Intact(_)) {
            return Changed::Unreadable;
        }
        let Some(DeadRow { mut row, mark }) = self.exhume(id) else {
            return Changed::NotFound;
        };
        if let Content::Intact(message) = &mut row.content {
            message.expires_at = None;
        }
        row.attempts = 0;
        row.recorded_through = 0;
        row.checkpoint = None;
        row.due_at = now;
        row.place = match &row.group {
            Some(group) if mark.parks_group => {
                let first = self.first_behind(group);
                first.map_or(row.place, |first| row.place.min(just_before(first, id)))
            }
            _ => Place {
                at: now,
                sequence: number,
                id,
            },
        };
        self.put_in(row, now);
        Changed::Applied
    }

    /// Removes a dead letter and admits whom it held back.
    pub(crate) fn discard(&mut self, id: MessageId) -> Changed {
        let Some(dead) = self.exhume(id) else {
            return Changed::NotFound;
        };
        self.forget(&dead.row);
        if let Some(group) = &dead.row.group {
            self.admit(group);
        }
        Changed::Applied
    }
}

/// The last place before another: sequences begin at 1.
fn just_before(other: Place, id: MessageId) -> Place {
    Place {
        at: other.at,
        sequence: 0,
        id,
    }
}
