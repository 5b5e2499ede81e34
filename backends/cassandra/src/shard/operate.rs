//! What operators do to single messages: only the owner of the shard does it.

use std::collections::HashSet;

use longshore_core::{
    Changed, Due, Message, MessageId, Purged, QueueSettings, Result, StoreError, Timestamp,
};
use uuid::Uuid;

use crate::producer::append::Producer;
use crate::protocol::disposition;
use crate::protocol::event::{Event, Why};
use crate::protocol::snapshot::Snapshot;
use crate::protocol::storage::Bucket;
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::entry::{Entry, Phase};
use crate::shard::write::event_batch::EventBatch;

/// What became of the ids of a call, and the messages that are gone by it: their dedup keys are
/// to be forgotten.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    pub(crate) answers: Vec<Changed>,
    pub(crate) messages: Vec<Message>,
}

/// Whether a message falls due before anybody reads the bucket of delayed ones that its row lies
/// in.
fn is_before(state: &Snapshot, bucket: Bucket) -> bool {
    bucket.stream.kind == stream_kind::DELAYED && state.due() < stream_kind::begin_of(bucket)
}

impl Shard {
    /// Removes messages that nobody works on.
    pub(crate) async fn cancel(&mut self, ids: &[MessageId], now: Timestamp) -> Result<Removed> {
        self.index.tick(now);
        self.look_at_lapsed(ids.iter().map(|id| id.as_uuid()), now)
            .await?;
        let may = |entry: &Entry| match entry.phase {
            Phase::Dead => Changed::NotFound,
            _ if entry.is_in_hands(now) => Changed::Leased,
            _ => Changed::Applied,
        };
        self.remove_where(ids, now, may).await
    }

    /// Reads what others wrote about messages whose lease ended, as far as is known here: they may
    /// have extended or settled it.
    async fn look_at_lapsed(
        &mut self,
        mut ids: impl Iterator<Item = Uuid>,
        now: Timestamp,
    ) -> Result<()> {
        let lapsed = ids.any(|id| {
            let entry = self.index.entries.get(&id);
            entry.is_some_and(|entry| entry.is_leased() && !entry.is_in_hands(now))
        });
        if lapsed {
            self.refresh_events(now).await?;
        }
        Ok(())
    }

    pub(crate) async fn remove_where(
        &mut self,
        ids: &[MessageId],
        now: Timestamp,
        may: impl Fn(&Entry) -> Changed,
    ) -> Result<Removed> {
        let mut removed = Removed::default();
        let mut changes = EventBatch::default();
        for id in ids {
            let id = id.as_uuid();
            let answer = self.index.entries.get(&id).map_or(Changed::NotFound, &may);
            removed.answers.push(answer);
            if answer == Changed::Applied {
                self.remove(id, now, &mut changes, &mut removed).await?;
            }
        }
        self.write(changes).await?;
        Ok(removed)
    }

    async fn remove(
        &mut self,
        id: Uuid,
        now: Timestamp,
        changes: &mut EventBatch,
        removed: &mut Removed,
    ) -> Result<()> {
        let Some(entry) = self.index.entries.get(&id) else {
            return Ok(());
        };
        let raw = self.raw_of(entry).await?;
        let message = raw.and_then(|raw| entry.message(&raw).ok());
        if let Some(entry) = self.index.take(id) {
            self.end(
                &entry,
                Why::Removed,
                &QueueSettings::default(),
                now,
                changes,
            );
        }
        removed.messages.extend(message);
        Ok(())
    }

    /// Removes up to `max` messages in queue order that nobody works on.
    pub(crate) async fn purge(&mut self, max: usize, now: Timestamp) -> Result<(Purged, Removed)> {
        self.fill(now).await?;
        self.index.tick(now);
        let all: Vec<_> = self.index.order.iter().map(|place| place.id).collect();
        self.look_at_lapsed(all.into_iter(), now).await?;
        let mut free = self.index.order.iter().filter(|place| {
            let entry = self.index.entries.get(&place.id);
            entry.is_some_and(|entry| !entry.is_in_hands(now))
        });
        let ids: Vec<_> = free.by_ref().take(max).map(|place| place.id).collect();
        let lies_behind = !ids.is_empty() && !self.has_read_live();
        let more = free.next().is_some() || lies_behind;
        let mut removed = Removed::default();
        let mut changes = EventBatch::default();
        for id in &ids {
            self.remove(*id, now, &mut changes, &mut removed).await?;
        }
        self.write(changes).await?;
        let purged = Purged {
            removed: ids.len() as u64,
            more,
        };
        Ok((purged, removed))
    }

    /// Gives messages that nobody works on another due time.
    pub(crate) async fn reschedule(
        &mut self,
        ids: &[MessageId],
        due: Due,
        producer: &Producer,
        now: Timestamp,
    ) -> Result<Vec<Changed>> {
        self.index.tick(now);
        self.look_at_lapsed(ids.iter().map(|id| id.as_uuid()), now)
            .await?;
        let mut changes = EventBatch::default();
        let mut earlier = Vec::new();
        let answers = ids.iter().map(|id| {
            let Some(entry) = self.index.entries.get(&id.as_uuid()) else {
                return Changed::NotFound;
            };
            match entry.phase {
                Phase::Dead => return Changed::NotFound,
                _ if entry.is_in_hands(now) => return Changed::Leased,
                _ => {}
            }
            let heads = self.index.is_head(entry);
            let backs_off = heads && entry.phase != Phase::Ready;
            let stays = heads && (backs_off || due.resolve(now) <= now);
            let state = disposition::rescheduled(&entry.state, stays, due, now);
            if is_before(&state, entry.address.0) {
                self.become_in_memory(id.as_uuid(), state, now);
                earlier.push(id.as_uuid());
            } else {
                self.become_now(id.as_uuid(), state, now, &mut changes);
            }
            Changed::Applied
        });
        let answers = answers.collect();
        if !changes.is_empty() {
            self.write(changes).await?;
        }
        let moved = self.move_on(&earlier, producer, now).await;
        moved.map_err(StoreError::effect_unknown)?;
        Ok(answers)
    }

    /// The same for one that is told by a row that will be inserted again.
    fn become_in_memory(&mut self, id: Uuid, state: Snapshot, now: Timestamp) {
        let Some(mut entry) = self.index.take(id) else {
            return;
        };
        entry.state = state;
        entry.phase = Phase::Ready;
        self.index.replace(entry, now);
    }

    /// Gives an entry a new state, as a change of its own serial.
    pub(crate) fn become_now(
        &mut self,
        id: Uuid,
        state: Snapshot,
        now: Timestamp,
        changes: &mut EventBatch,
    ) {
        let Some(mut entry) = self.index.take(id) else {
            return;
        };
        entry.serial += 1;
        entry.state = state;
        entry.phase = Phase::Ready;
        self.became(entry, now, changes);
    }

    /// Tells what has become of an entry that is not done, and lets its group go on.
    pub(crate) fn became(&mut self, entry: Entry, now: Timestamp, changes: &mut EventBatch) {
        let became = Event::Became(Box::new(entry.state.clone()));
        changes.add(entry.address, entry.serial, &became);
        let group = entry.group.clone();
        self.index.replace(entry, now);
        if let Some(group) = group {
            self.index.admit(&group);
        }
    }

    /// Which of these ids would be copies if they were enqueued now.
    pub(crate) fn here(&self, ids: &[MessageId], now: Timestamp) -> HashSet<Uuid> {
        let born = now.as_millis().saturating_mul(1000);
        let ids = ids.iter().map(|id| id.as_uuid());
        ids.filter(|id| self.index.entries.contains_key(id) || self.index.is_repeat(*id, born))
            .collect()
    }
}
