//! Taking over messages of another queue or store.

use longshore_core::{Adopted, Content, Lane, MessageState, QueueName, StoredMessage, Timestamp};

use crate::schema::{Data, Place, Queue, Row, State};

impl Data {
    /// Takes over one message.
    pub(crate) fn adopt(
        &mut self,
        name: &QueueName,
        stored: &StoredMessage,
        now: Timestamp,
    ) -> Adopted {
        let sequence = self.numbers.next();
        let queue = self.queues.entry(name.clone()).or_default();
        queue.tick(now);
        if queue.is_here(stored.id()) {
            return Adopted::Known;
        }
        let row = row_of(stored, sequence, now);
        if let Content::Intact(message) = &row.content {
            queue.adopt_key(message, now);
        }
        match &stored.state {
            MessageState::Dead(mark) => queue.put_dead(row, mark.clone(), sequence),
            _ => queue.adopt_live(row, now),
        }
        Adopted::Stored
    }
}

impl Queue {
    fn adopt_live(&mut self, row: Row, now: Timestamp) {
        // A retried head backs off at the head of its group; so it does after a move.
        if let Some(name) = row.group.clone()
            && row.attempts > 0
            && row.due_at > now
            && !self.groups.contains_key(&name)
        {
            self.make_head(&name, row.id());
        }
        self.put_in(row, now);
    }

    /// A dedup key moves with its message, unless it has an owner here.
    fn adopt_key(&mut self, message: &longshore_core::Message, now: Timestamp) {
        let Some(dedup) = &message.dedup else {
            return;
        };
        let scope = (message.group.clone(), dedup.key.clone());
        if !self.keys.contains_key(&scope) && message.enqueued_at.plus(dedup.window) > now {
            self.remember_key(message);
        }
    }
}

fn row_of(stored: &StoredMessage, sequence: u64, now: Timestamp) -> Row {
    let message = stored.message();
    Row {
        place: Place {
            at: stored.due_at.max(now),
            sequence,
            id: stored.id(),
        },
        lane: message.map_or(Lane::default(), |message| message.lane),
        group: message.and_then(|message| message.group.clone()),
        state: State::Ready,
        attempts: stored.attempts,
        recorded_through: stored.recorded_through,
        due_at: stored.due_at,
        history: stored.history.clone(),
        checkpoint: stored.checkpoint.clone(),
        content: stored.content.clone(),
    }
}
