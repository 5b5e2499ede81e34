//! Aggregates: parts collected under keys.
//!
//! **Owns** the epochs of every aggregate, their parts, and what is remembered of those that are
//! done ([`book`]). What becomes of a part is decided by the core.
//!
//! **Invariant.** Each part that was accepted is in one epoch and in one counter; a key has at most
//! one open epoch. All of it changes behind the one lock of the store.
//!
//! **When a process is killed.** Nothing survives the process.

pub(crate) mod book;
mod closed;
mod open;

use std::num::NonZeroU32;

use async_trait::async_trait;
use longshore_core::validate::{check_count, check_lease, check_parts};
use longshore_core::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateStore, Appends, Changed,
    Cursor, Epoch, EpochChange, EpochInfo, EpochPlace, Fate, NewPart, Page, Part, PartPlace,
    QueueStore as _, Receipt, Result, Settled, Timestamp, Turn, Turned, Verdict,
};

use crate::aggregate::book::Book;
use crate::store::MemoryStore;

impl MemoryStore {
    /// Works in an aggregate; `none` where it is not known.
    fn in_book<T>(
        &self,
        name: &AggregateName,
        none: T,
        work: impl FnOnce(&mut Book, Timestamp) -> T,
    ) -> T {
        let (mut data, now) = self.lock();
        match data.aggregates.get_mut(name) {
            Some(book) => {
                book.forget(now);
                work(book, now)
            }
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
        check_parts("append", rules, parts, &self.limits())?;
        let (mut data, now) = self.lock();
        let book = data
            .aggregates
            .entry(name.clone())
            .or_insert_with(|| Book::new(name.clone(), now));
        book.forget(now);
        Ok(book.append(rules, parts, now))
    }

    async fn turn(&self, name: &AggregateName, turn: Turn) -> Result<Turned> {
        check_lease("turn", turn.lease)?;
        check_count("turn", turn.max.get() as usize, &self.limits())?;
        Ok(self.in_book(name, Turned::default(), |book, now| book.turn(turn, now)))
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
        Ok(self.in_book(name, Page::last(Vec::new()), |book, _| {
            book.page_parts(key, epoch, after, max)
        }))
    }

    async fn answer(&self, name: &AggregateName, verdicts: &[Verdict]) -> Result<Vec<Settled>> {
        check_count("answer", verdicts.len(), &self.limits())?;
        let none = vec![Settled::LeaseLost; verdicts.len()];
        Ok(self.in_book(name, none, |book, now| {
            verdicts.iter().map(|one| book.answer(one, now)).collect()
        }))
    }

    async fn finish(
        &self,
        name: &AggregateName,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>> {
        check_count("finish", epochs.len(), &self.limits())?;
        let none = vec![Settled::LeaseLost; epochs.len()];
        Ok(self.in_book(name, none, |book, now| {
            let finish = |(receipt, fate): &(Receipt, Fate)| book.finish(receipt, *fate, now);
            epochs.iter().map(finish).collect()
        }))
    }

    async fn list(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<AggregateInfo>> {
        let after = after.map_or("", Cursor::as_str);
        let (mut data, now) = self.lock();
        let mut books = data
            .aggregates
            .iter_mut()
            .filter(|(name, _)| name.as_str() > after);
        let infos = books.by_ref().take(max.get() as usize);
        let items: Vec<_> = infos
            .map(|(_, book)| {
                book.forget(now);
                book.info()
            })
            .collect();
        let last = books.next().and(items.last());
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
        Ok(self.in_book(name, Page::last(Vec::new()), |book, now| {
            book.page_epochs(key, after.as_ref(), max, now)
        }))
    }

    async fn change(
        &self,
        name: &AggregateName,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>> {
        check_count("change", epochs.len(), &self.limits())?;
        let none = vec![Changed::NotFound; epochs.len()];
        Ok(self.in_book(name, none, |book, now| {
            let change = |(key, epoch, change): &(AggregateKey, Epoch, EpochChange)| {
                book.change(key, *epoch, *change, now)
            };
            epochs.iter().map(change).collect()
        }))
    }
}
