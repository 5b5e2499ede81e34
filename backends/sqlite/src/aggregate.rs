//! Aggregates: parts collected under keys.
//!
//! **Owns** the tables `aggregate`, `aggregate_rules`, `open_epoch`, `closed_epoch` and `part`. What
//! becomes of a part, and when an epoch is due, is decided by the core; here it is written down.
//!
//! **Invariant.** The numbers of an aggregate are those of its rows, changed in the same transaction.
//! A part is in one epoch, open or closed, and its body is kept until that is done. `look` of an open
//! epoch is never after the time at which it is due: a part moves it only to an earlier time, and a
//! turn that finds it too early moves it on.
//!
//! **When a process is killed.** A call has happened or it has not. What it had been handed out is
//! handed out again, under the same id, when its lease has ended.

mod append;
mod closed_row;
mod finish;
mod list;
mod open_row;
mod row;
mod rules_row;
mod turn;

use std::num::NonZeroU32;

use async_trait::async_trait;
use longshore_core::validate::{check_count, check_lease, check_parts};
use longshore_core::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateStore, Appends, Changed,
    Cursor, Epoch, EpochChange, EpochInfo, EpochPlace, Fate, NewPart, Page, Part, PartPlace,
    QueueStore as _, Receipt, Result, Settled, Turn, Turned, Verdict,
};

use crate::aggregate::row::AggregateRow;
use crate::store::SqliteStore;

#[async_trait]
impl AggregateStore for SqliteStore {
    async fn append(
        &self,
        name: &AggregateName,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<Appends> {
        let rules = check_parts("append", rules.clone(), parts, &self.limits())?;
        let (name, parts) = (name.clone(), parts.to_vec());
        self.write("append", move |tx| {
            append::append(tx, &name, &rules, &parts)
        })
        .await
    }

    async fn turn(&self, name: &AggregateName, turn: Turn) -> Result<Turned> {
        check_lease("turn", turn.lease)?;
        check_count("turn", turn.max.get() as usize, &self.limits())?;
        // Most turns find nothing: those take no turn to write.
        let (of, now) = (name.clone(), self.now().wall);
        let (is_needed, next) = self
            .read("turn", move |conn| turn::look(conn, &of, now))
            .await?;
        if !is_needed {
            let mut turned = Turned::default();
            turned.next = next;
            return Ok(turned);
        }
        let name = name.clone();
        self.write("turn", move |tx| turn::turn(tx, &name, turn))
            .await
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
        let (name, key) = (name.clone(), key.clone());
        self.read("parts", move |conn| {
            let Some(row) = AggregateRow::find(conn, &name)? else {
                return Ok(Page::last(Vec::new()));
            };
            list::parts(conn, &row, &key, epoch, after, max)
        })
        .await
    }

    async fn answer(&self, name: &AggregateName, verdicts: &[Verdict]) -> Result<Vec<Settled>> {
        check_count("answer", verdicts.len(), &self.limits())?;
        let (name, verdicts) = (name.clone(), verdicts.to_vec());
        self.write("answer", move |tx| turn::answer(tx, &name, &verdicts))
            .await
    }

    async fn finish(
        &self,
        name: &AggregateName,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>> {
        check_count("finish", epochs.len(), &self.limits())?;
        let (name, epochs) = (name.clone(), epochs.to_vec());
        self.write("finish", move |tx| finish::finish(tx, &name, &epochs))
            .await
    }

    async fn list(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<AggregateInfo>> {
        let after = after.map_or("", Cursor::as_str).to_owned();
        self.read("list", move |conn| list::aggregates(conn, &after, max))
            .await
    }

    async fn epochs(
        &self,
        name: &AggregateName,
        key: Option<&AggregateKey>,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<EpochInfo>> {
        let after = after.map(EpochPlace::of).transpose()?;
        let (name, key, now) = (name.clone(), key.cloned(), self.now().wall);
        self.read("epochs", move |conn| {
            let Some(row) = AggregateRow::find(conn, &name)? else {
                return Ok(Page::last(Vec::new()));
            };
            list::epochs(conn, &row, key.as_ref(), after.as_ref(), max, now)
        })
        .await
    }

    async fn change(
        &self,
        name: &AggregateName,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>> {
        check_count("change", epochs.len(), &self.limits())?;
        let (name, epochs) = (name.clone(), epochs.to_vec());
        self.write("change", move |tx| finish::change(tx, &name, &epochs))
            .await
    }
}
