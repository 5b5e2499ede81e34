//! Dead letters: making them live again, and removing them.

use longshore_core::{Changed, MessageId, Result, StoreError, Timestamp};
use uuid::Uuid;

use crate::producer::append::Producer;
use crate::protocol::disposition;
use crate::shard::Shard;
use crate::shard::entry::{Entry, Phase, Raw};
use crate::shard::operate::Removed;

impl Shard {
    /// Removes dead letters.
    pub(crate) async fn discard(&mut self, ids: &[MessageId], now: Timestamp) -> Result<Removed> {
        self.index.tick(now);
        let may = |entry: &Entry| match entry.phase {
            Phase::Dead => Changed::Applied,
            _ => Changed::NotFound,
        };
        self.remove_where(ids, now, may).await
    }

    /// Makes dead letters live again, in rows of their own: the process that hands messages out
    /// need not know the dead ones for it.
    pub(crate) async fn redrive(
        &mut self,
        ids: &[MessageId],
        producer: &Producer,
        now: Timestamp,
    ) -> Result<Vec<Changed>> {
        self.index.tick(now);
        let mut redriven = Vec::new();
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            let found = self.index.entries.get(&id.as_uuid());
            let Some(entry) = found.filter(|entry| entry.phase == Phase::Dead) else {
                answers.push(Changed::NotFound);
                continue;
            };
            let raw = self.raw_of(entry).await?;
            let Some(raw) = raw.filter(|raw| entry.message(raw).is_ok()) else {
                answers.push(Changed::Unreadable);
                continue;
            };
            self.live_again(id.as_uuid(), raw, now);
            redriven.push(id.as_uuid());
            answers.push(Changed::Applied);
        }
        let moved = self.move_on(&redriven, producer, now).await;
        moved.map_err(StoreError::effect_unknown)?;
        Ok(answers)
    }

    /// In memory.
    fn live_again(&mut self, id: Uuid, raw: Raw, now: Timestamp) {
        let Some(entry) = self.index.entries.get(&id) else {
            return;
        };
        let (at_ms, sequence) = self.place_of_redriven(entry, now);
        let parked = entry.state.dead.as_ref().is_some_and(|death| death.parks);
        let Some(mut entry) = self.index.take(id) else {
            return;
        };
        self.drop_raw(&mut entry);
        self.keep_raw(&mut entry, raw);
        entry.state = disposition::redriven(&entry.state, now, at_ms, sequence);
        let group = entry.group.as_ref();
        entry.state.heads = parked && group.is_some_and(|group| self.index.may_lead(group));
        entry.phase = Phase::Ready;
        self.index.replace(entry, now);
    }

    /// One that parked its group goes before its first member, others go to the tail.
    fn place_of_redriven(&self, entry: &Entry, now: Timestamp) -> (i64, i64) {
        let parks = entry.state.dead.as_ref().is_some_and(|death| death.parks);
        match &entry.group {
            Some(group) if parks => {
                let own = entry.place();
                let first = self.index.first_behind(group);
                let before = first.map_or(own, |mut first| {
                    first.sequence = 0;
                    own.min(first)
                });
                (before.at_ms, before.sequence)
            }
            _ => (now.as_millis(), self.hybrid.next(now)),
        }
    }
}
