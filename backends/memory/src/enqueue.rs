//! Judging and storing new messages, and what is remembered of their ids and keys.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use longshore_core::validate::check_batch;
use longshore_core::{
    Content, Dedup, Enqueued, History, IdOrigin, Message, MessageId, NewMessage, QueueName,
    QueueSettings, Result, StoreError, StoreErrorKind, StoreLimits, Timestamp,
};

use crate::schema::{Data, KeyScope, Place, Queue, Row, State};

/// When a producer that found a queue full may try again.
const RETRY_FULL: Duration = Duration::from_secs(1);

impl Data {
    /// Stores a batch, or refuses it as a whole before anything changed.
    pub(crate) fn enqueue(
        &mut self,
        name: &QueueName,
        batch: &[NewMessage],
        limits: &StoreLimits,
        now: Timestamp,
    ) -> Result<Vec<Enqueued>> {
        let known = self.queues.get_mut(name);
        let settings = match &known {
            Some(queue) => queue.settings.clone(),
            None => QueueSettings::default(),
        };
        check_batch("enqueue", batch, &settings, limits)?;
        let outcomes = match known {
            Some(queue) => {
                queue.tick(now);
                queue.judge(batch)
            }
            None => Queue::default().judge(batch),
        };
        let added = outcomes.iter().filter(|one| **one == Enqueued::Stored);
        let depth = self.queues.get(name).map_or(0, |queue| queue.live.len());
        check_depth(name, depth + added.count(), &settings)?;
        for (new, outcome) in batch.iter().zip(&outcomes) {
            if *outcome == Enqueued::Stored {
                let sequence = self.numbers.next();
                let message = new.stored_at(now, settings.expires());
                let queue = self.queues.entry(name.clone()).or_default();
                queue.insert_new(message, sequence, now);
            }
        }
        Ok(outcomes)
    }
}

fn check_depth(name: &QueueName, depth: usize, settings: &QueueSettings) -> Result<()> {
    match settings.depth_max {
        Some(max) if depth as u64 > max => Err(StoreError::new(
            StoreErrorKind::Overloaded,
            "enqueue",
            format!(
                "the queue would hold {depth} messages, at most {max} are allowed; work some of \
                 them first, or raise depth_max"
            ),
        )
        .with("queue", name)
        .retry_after(RETRY_FULL)),
        _ => Ok(()),
    }
}

impl Queue {
    /// The outcome of each message, as if they were enqueued one by one.
    fn judge(&self, batch: &[NewMessage]) -> Vec<Enqueued> {
        let mut ids = HashSet::new();
        let mut keys = HashMap::new();
        batch
            .iter()
            .map(|new| {
                let scope = scope_of(new);
                let first = if self.knows(new.id) || ids.contains(&new.id) {
                    Some(new.id)
                } else {
                    scope.as_ref().and_then(|scope| {
                        let before = self.keys.get(scope).map(|(first, _)| *first);
                        before.or_else(|| keys.get(scope).copied())
                    })
                };
                if let Some(first) = first {
                    return Enqueued::Duplicate { first };
                }
                ids.insert(new.id);
                if let Some(scope) = scope {
                    keys.insert(scope, new.id);
                }
                Enqueued::Stored
            })
            .collect()
    }

    fn insert_new(&mut self, message: Message, sequence: u64, now: Timestamp) {
        self.remember_key(&message);
        let row = Row {
            place: Place {
                at: message.due_at.max(now),
                sequence,
                id: message.id,
            },
            lane: message.lane,
            group: message.group.clone(),
            state: State::Ready,
            attempts: 0,
            recorded_through: 0,
            due_at: message.due_at,
            history: History::new(),
            checkpoint: None,
            content: Content::Intact(message),
        };
        self.put_in(row, now);
    }

    /// Whether an id is live, dead or still remembered.
    pub(crate) fn knows(&self, id: MessageId) -> bool {
        self.is_here(id) || self.done.contains_key(&id)
    }

    /// Whether an id is live or dead.
    pub(crate) fn is_here(&self, id: MessageId) -> bool {
        self.live.contains_key(&id) || self.dead_places.contains_key(&id)
    }

    /// Recognises a given id for the window that begins now.
    pub(crate) fn remember_id(&mut self, row: &Row, now: Timestamp) {
        let Content::Intact(message) = &row.content else {
            return;
        };
        if message.id_origin == IdOrigin::Given {
            let until = now.plus(self.settings.id_window());
            if let Some(before) = self.done.insert(message.id, until) {
                self.done_ends.remove(&(before, message.id));
            }
            self.done_ends.insert((until, message.id));
        }
    }

    /// Recognises the dedup key of a message for its window.
    pub(crate) fn remember_key(&mut self, message: &Message) {
        let Some((scope, dedup)) = key_of(message) else {
            return;
        };
        let until = message.enqueued_at.plus(dedup.window);
        if let Some((_, before)) = self.keys.insert(scope.clone(), (message.id, until)) {
            self.key_ends.remove(&(before, scope.clone()));
        }
        self.key_ends.insert((until, scope));
    }

    /// Forgets the dedup key of a message that was cancelled, purged or discarded. Its id is
    /// forgotten by being gone.
    pub(crate) fn forget(&mut self, row: &Row) {
        let Content::Intact(message) = &row.content else {
            return;
        };
        let Some((scope, _)) = key_of(message) else {
            return;
        };
        if let Some((first, until)) = self.keys.get(&scope).copied()
            && first == message.id
        {
            self.keys.remove(&scope);
            self.key_ends.remove(&(until, scope));
        }
    }
}

fn scope_of(new: &NewMessage) -> Option<KeyScope> {
    let dedup = new.dedup.as_ref()?;
    Some((new.group.clone(), dedup.key.clone()))
}

fn key_of(message: &Message) -> Option<(KeyScope, &Dedup)> {
    let dedup = message.dedup.as_ref()?;
    Some(((message.group.clone(), dedup.key.clone()), dedup))
}
