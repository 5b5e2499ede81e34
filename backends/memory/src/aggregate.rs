//! Aggregates: parts collected under keys.
//!
//! **Owns** nothing but the parts: the state machine of an aggregate is the core's
//! ([`AggregateState`]), and decides what becomes of them.
//!
//! **Invariant.** Each part that was accepted is in one epoch and in one counter; a key has at most
//! one open epoch. All of it changes behind the one lock of the store.
//!
//! **When a process is killed.** Nothing survives the process.

use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use longshore_core::validate::{check_count, check_lease, check_parts};
use longshore_core::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateState, AggregateStore,
    Appends, Changed, Content, Cursor, Epoch, EpochChange, EpochInfo, EpochPlace, EpochShard, Fate,
    Message, NewPart, Page, Part, PartHead, PartPlace, QueueStore as _, Receipt, Result, Settled,
    Timestamp, Turn, Turned, Verdict,
};

use crate::store::MemoryStore;

impl MemoryStore {
    /// Works in an aggregate; `none` where it is not known.
    fn in_aggregate<T>(
        &self,
        name: &AggregateName,
        none: T,
        work: impl FnOnce(&mut AggregateState<Message>, Timestamp) -> T,
    ) -> T {
        let (mut data, now) = self.lock();
        match data.aggregates.get_mut(name) {
            Some(state) => work(state, now),
            None => none,
        }
    }
}

#[async_trait]
impl AggregateStore for MemoryStore {
    async fn append(
        &self,
        name: &AggregateName,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<Appends> {
        let rules = Arc::new(check_parts("append", rules.clone(), parts, &self.limits())?);
        let (mut data, now) = self.lock();
        let state = data.aggregates.entry(name.clone()).or_insert_with(|| {
            let generation = u64::try_from(now.as_millis()).unwrap_or(0);
            AggregateState::new(name.clone(), generation, EpochShard::WHOLE)
        });
        let kept = |part: &NewPart| part.message.stored_at(part.position, None);
        let parts = parts.iter().map(|part| (PartHead::from(part), kept(part)));
        Ok(state.append(&rules, parts, now))
    }

    async fn turn(&self, name: &AggregateName, turn: Turn) -> Result<Turned> {
        check_lease("turn", turn.lease)?;
        check_count("turn", turn.max.get() as usize, &self.limits())?;
        Ok(self.in_aggregate(name, Turned::default(), |state, now| state.turn(turn, now)))
    }

    async fn parts(
        &self,
        name: &AggregateName,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<Part>> {
        let after = after.map(PartPlace::of).transpose()?;
        Ok(self.in_aggregate(name, Page::last(Vec::new()), |state, _| {
            let page = state.parts(key, epoch, after, max);
            let items = page.items.into_iter();
            Page {
                items: items
                    .map(|(_, message)| Part::new(Content::Intact(message)))
                    .collect(),
                next: page.next,
            }
        }))
    }

    async fn answer(&self, name: &AggregateName, verdicts: &[Verdict]) -> Result<Vec<Settled>> {
        check_count("answer", verdicts.len(), &self.limits())?;
        let none = vec![Settled::LeaseLost; verdicts.len()];
        Ok(self.in_aggregate(name, none, |state, now| {
            verdicts.iter().map(|one| state.answer(one, now)).collect()
        }))
    }

    async fn finish(
        &self,
        name: &AggregateName,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>> {
        check_count("finish", epochs.len(), &self.limits())?;
        let none = vec![Settled::LeaseLost; epochs.len()];
        Ok(self.in_aggregate(name, none, |state, now| {
            let finish = |(receipt, fate): &(Receipt, Fate)| state.finish(receipt, *fate, now);
            epochs.iter().map(finish).collect()
        }))
    }

    async fn list(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<AggregateInfo>> {
        let after = after.map_or("", Cursor::as_str);
        let (data, _) = self.lock();
        let mut behind = data
            .aggregates
            .iter()
            .filter(|(name, _)| name.as_str() > after);
        let infos = behind.by_ref().take(max.get() as usize);
        let items: Vec<_> = infos.map(|(_, state)| state.info()).collect();
        let last = behind.next().and(items.last());
        let next = last.map(|info| Cursor::new(info.name.as_str()));
        Ok(Page { items, next })
    }

    async fn epochs(
        &self,
        name: &AggregateName,
        key: Option<&AggregateKey>,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<EpochInfo>> {
        let after = after.map(EpochPlace::of).transpose()?;
        Ok(
            self.in_aggregate(name, Page::last(Vec::new()), |state, now| {
                state.epochs(key, after.as_ref(), max, now)
            }),
        )
    }

    async fn change(
        &self,
        name: &AggregateName,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>> {
        check_count("change", epochs.len(), &self.limits())?;
        let none = vec![Changed::NotFound; epochs.len()];
        Ok(self.in_aggregate(name, none, |state, now| {
            let change = |(key, epoch, change): &(AggregateKey, Epoch, EpochChange)| {
                state.change(key, *epoch, *change, now)
            };
            epochs.iter().map(change).collect()
        }))
    }
}
