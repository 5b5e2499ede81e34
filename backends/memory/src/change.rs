//! Cancelling, purging and rescheduling what is not in a worker's hands.

use std::num::NonZeroU32;

use longshore_core::{Changed, Due, MessageId, Purged, Timestamp};

use crate::schema::{Queue, State};

impl Queue {
    /// Removes a message that nobody works on.
    pub(crate) fn cancel(&mut self, id: MessageId, now: Timestamp) -> Changed {
        match self.live.get(&id).map(|row| row.state) {
            None => Changed::NotFound,
            Some(state) if state.is_in_hands(now) => Changed::Leased,
            Some(_) => {
                self.remove(id);
                Changed::Applied
            }
        }
    }

    /// Removes up to `batch_max` messages in queue order.
    pub(crate) fn purge(&mut self, batch_max: NonZeroU32, now: Timestamp) -> Purged {
        let max = batch_max.get() as usize;
        let mut free = self.order.iter().filter(|place| {
            let state = self.live.get(&place.id).map(|row| row.state);
            state.is_some_and(|state| !state.is_in_hands(now))
        });
        let ids: Vec<_> = free.by_ref().take(max).map(|place| place.id).collect();
        let more = free.next().is_some();
        for id in &ids {
            self.remove(*id);
        }
        Purged {
            removed: ids.len() as u64,
            more,
        }
    }

    fn remove(&mut self, id: MessageId) {
        if let Some(row) = self.take_out(id) {
            self.forget(&row);
            if let Some(group) = &row.group {
                self.admit(group);
            }
        }
    }

    /// Gives a message another due time.
    ///
    /// A head in back-off or with an ended lease was delivered before: it keeps the head and the
    /// group waits for it. Any other member leaves the order of its group and joins when it falls
    /// due.
    pub(crate) fn reschedule(&mut self, id: MessageId, due: Due, now: Timestamp) -> Changed {
        let Some(row) = self.live.get(&id) else {
            return Changed::NotFound;
        };
        if row.state.is_in_hands(now) {
            return Changed::Leased;
        }
        let group = row.group.clone();
        let heads = group
            .as_ref()
            .and_then(|name| self.groups.get(name))
            .is_some_and(|group| group.head == Some(id));
        let backs_off = heads && row.state != State::Ready;
        let due_at = due.resolve(now);
        if heads && (backs_off || due_at <= now) {
            self.take_off(id);
            if due_at > now {
                self.put_off(id, due_at, State::Delayed);
            } else {
                self.set_due(id, due_at);
                self.make_ready(id);
            }
            return Changed::Applied;
        }
        if let Some(mut row) = self.take_out(id) {
            row.due_at = due_at;
            row.place.at = due_at.max(now);
            self.put_in(row, now);
        }
        if let Some(group) = &group {
            self.admit(group);
        }
        Changed::Applied
    }

    fn set_due(&mut self, id: MessageId, due_at: Timestamp) {
        if let Some(row) = self.live.get_mut(&id) {
            row.due_at = due_at;
        }
    }
}
