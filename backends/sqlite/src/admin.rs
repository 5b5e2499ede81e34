//! The control plane.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::{check_adopted, check_change, check_count};
use longshore_core::{
    Adopted, Changed, Configured, Cursor, Deleted, Due, Finding, Found, MessageId, MovingMark,
    Page, Pause, Purged, QueueAdmin, QueueName, QueueSettings, QueueStats, QueueStore as _, Result,
    SettingsChange, StoredMessage, WorkerInfo,
};
use rusqlite::params;

use crate::adopt::adopt;
use crate::change::{cancel, purge, reschedule};
use crate::check;
use crate::coordination::workers;
use crate::database::transaction::Tx;
use crate::dead::{discard, redrive};
use crate::error::Outcome;
use crate::pages::find;
use crate::pages::{self, DEAD_LETTERS, EXPORT, PEEK, Walk};
use crate::rows::queue::QueueRow;
use crate::store::SqliteStore;

/// A purge holds up the other writers for no longer than this many messages take.
const PURGE_MAX: u32 = 10_000;

impl SqliteStore {
    /// Changes single messages of a queue that may not exist.
    async fn change_each<F>(
        &self,
        call: &'static str,
        queue: &QueueName,
        ids: &[MessageId],
        change: F,
    ) -> Result<Vec<Changed>>
    where
        F: Fn(&Tx<'_>, &mut QueueRow, MessageId) -> Outcome<Changed> + Send + 'static,
    {
        check_count(call, ids.len(), &self.limits())?;
        let (name, ids) = (queue.clone(), ids.to_vec());
        self.write(call, move |tx| {
            let Some(mut queue) = QueueRow::find(tx.conn(), &name)? else {
                return Ok(vec![Changed::NotFound; ids.len()]);
            };
            let each = ids.iter().map(|id| change(tx, &mut queue, *id));
            let answers = each.collect::<Outcome<_>>()?;
            queue.save(tx)?;
            Ok(answers)
        })
        .await
    }

    /// A page of one of the lists.
    async fn list(
        &self,
        call: &'static str,
        walk: Walk,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let after = walk.after(after)?;
        let (name, now) = (queue.clone(), self.now());
        self.read(call, move |conn| match QueueRow::find(conn, &name)? {
            Some(queue) => walk.page(conn, queue.number, after, max, now),
            None => Ok(Page::last(Vec::new())),
        })
        .await
    }

    /// Writes a text column of a queue, which exists from then on.
    async fn mark(
        &self,
        call: &'static str,
        queue: &QueueName,
        text: &'static str,
        value: impl Fn(&Tx<'_>) -> String + Send + 'static,
    ) -> Result<()> {
        let name = queue.clone();
        self.write(call, move |tx| {
            let queue = QueueRow::ensure(tx, &name)?;
            tx.sql(text)?.execute(params![queue.number, value(tx)])?;
            Ok(())
        })
        .await
    }

    /// Clears a mark that stops hand-outs. Answers whether there was one.
    async fn unmark(
        &self,
        call: &'static str,
        queue: &QueueName,
        text: &'static str,
    ) -> Result<bool> {
        let name = queue.clone();
        self.write(call, move |tx| {
            let cleared = tx.sql(text)?.execute([name.as_str()])?;
            tx.receivable_at(tx.now.as_millis());
            Ok(cleared > 0)
        })
        .await
    }
}

#[async_trait]
impl QueueAdmin for SqliteStore {
    async fn queues(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<QueueName>> {
        let after = pages::queue_after(after)?;
        self.read("queues", move |conn| pages::queues(conn, &after, max))
            .await
    }

    async fn stats(&self, queue: &QueueName) -> Result<Option<QueueStats>> {
        let (name, now) = (queue.clone(), self.now());
        self.read("stats", move |conn| crate::stats::stats(conn, &name, now))
            .await
    }

    async fn configure(&self, queue: &QueueName, change: &SettingsChange) -> Result<Configured> {
        check_change("configure", change, &self.limits())?;
        let (name, change) = (queue.clone(), change.clone());
        self.write("configure", move |tx| {
            let queue = QueueRow::ensure(tx, &name)?;
            let mut settings = queue.settings.clone();
            let overridden = settings.apply(&change);
            let text = serde_json::to_string(&settings).unwrap_or_default();
            tx.sql("UPDATE queue SET settings = ?2 WHERE queue = ?1")?
                .execute(params![queue.number, text])?;
            Ok(Configured::new(settings, overridden))
        })
        .await
    }

    async fn settings(&self, queue: &QueueName) -> Result<QueueSettings> {
        let name = queue.clone();
        self.read("settings", move |conn| {
            let queue = QueueRow::find(conn, &name)?;
            Ok(queue.map(|queue| queue.settings).unwrap_or_default())
        })
        .await
    }

    async fn peek(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        self.list("peek", PEEK, queue, after, max).await
    }

    async fn find(&self, queue: &QueueName, id: MessageId) -> Result<Found> {
        let (name, now) = (queue.clone(), self.now());
        self.read("find", move |conn| {
            let Some(queue) = QueueRow::find(conn, &name)? else {
                return Ok(Found::NotFound);
            };
            let found = find::find(conn, queue.number, id, now)?;
            Ok(found.map_or(Found::NotFound, |one| Found::Message(Box::new(one))))
        })
        .await
    }

    async fn cancel(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change_each("cancel", queue, ids, cancel).await
    }

    async fn reschedule(
        &self,
        queue: &QueueName,
        ids: &[MessageId],
        due: Due,
    ) -> Result<Vec<Changed>> {
        self.change_each("reschedule", queue, ids, move |tx, queue, id| {
            reschedule(tx, queue, id, due)
        })
        .await
    }

    async fn purge(&self, queue: &QueueName, batch_max: NonZeroU32) -> Result<Purged> {
        let max = batch_max.get().min(PURGE_MAX) as usize;
        let name = queue.clone();
        self.write("purge", move |tx| {
            let Some(mut queue) = QueueRow::find(tx.conn(), &name)? else {
                return Ok(Purged {
                    removed: 0,
                    more: false,
                });
            };
            let purged = purge(tx, &mut queue, max)?;
            queue.save(tx)?;
            Ok(purged)
        })
        .await
    }

    async fn pause(&self, queue: &QueueName, pause: &Pause) -> Result<()> {
        let pause = pause.clone();
        self.mark(
            "pause",
            queue,
            "UPDATE queue SET pause = ?2 WHERE queue = ?1",
            move |tx| {
                let mut stamped = pause.clone();
                stamped.since = tx.now;
                serde_json::to_string(&stamped).unwrap_or_default()
            },
        )
        .await
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool> {
        self.unmark(
            "resume",
            queue,
            "UPDATE queue SET pause = NULL WHERE name = ?1 AND pause IS NOT NULL",
        )
        .await
    }

    async fn mark_moving(&self, queue: &QueueName, mark: Option<&MovingMark>) -> Result<()> {
        let Some(mark) = mark.cloned() else {
            let text = "UPDATE queue SET moving = NULL WHERE name = ?1 AND moving IS NOT NULL";
            return self.unmark("mark_moving", queue, text).await.map(drop);
        };
        self.mark(
            "mark_moving",
            queue,
            "UPDATE queue SET moving = ?2 WHERE queue = ?1",
            move |tx| {
                let mut stamped = mark.clone();
                stamped.since = tx.now;
                serde_json::to_string(&stamped).unwrap_or_default()
            },
        )
        .await
    }

    async fn delete(&self, queue: &QueueName) -> Result<Deleted> {
        let name = queue.clone();
        self.write("delete", move |tx| {
            let Some(queue) = QueueRow::find(tx.conn(), &name)? else {
                return Ok(Deleted::NotFound);
            };
            let holds: bool = tx
                .sql("SELECT EXISTS (SELECT 1 FROM message WHERE queue = ?1)")?
                .query_row([queue.number], |row| row.get(0))?;
            if holds {
                return Ok(Deleted::NotEmpty);
            }
            for table in ["known_id", "dedup", "queue"] {
                tx.sql(&format!("DELETE FROM {table} WHERE queue = ?1"))?
                    .execute([queue.number])?;
            }
            Ok(Deleted::Done)
        })
        .await
    }

    async fn dead_letters(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        self.list("dead_letters", DEAD_LETTERS, queue, after, max)
            .await
    }

    async fn redrive(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change_each("redrive", queue, ids, redrive).await
    }

    async fn discard(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change_each("discard", queue, ids, discard).await
    }

    async fn export(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        self.list("export", EXPORT, queue, after, max).await
    }

    async fn adopt(&self, queue: &QueueName, messages: &[StoredMessage]) -> Result<Vec<Adopted>> {
        check_adopted("adopt", messages, &self.limits())?;
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let (name, messages) = (queue.clone(), messages.to_vec());
        self.write("adopt", move |tx| {
            let bytes: u64 = messages.iter().map(size).sum();
            tx.require_space(bytes)?;
            let mut queue = QueueRow::ensure(tx, &name)?;
            let each = messages.iter().map(|stored| adopt(tx, &mut queue, stored));
            let answers = each.collect::<Outcome<_>>()?;
            queue.save(tx)?;
            Ok(answers)
        })
        .await
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>> {
        let now = self.now();
        self.read("workers", move |conn| workers::list(conn, now))
            .await
    }

    async fn check(&self) -> Result<Vec<Finding>> {
        let database = self.current();
        let mut findings = check::of_engine(&database);
        let clocks = database.clocks.clone();
        let in_file = self.read("check", move |conn| check::of_file(conn, &clocks));
        findings.extend(in_file.await?);
        Ok(findings)
    }

    async fn announce(&self, worker: &WorkerInfo, ttl: Duration) -> Result<()> {
        let worker = worker.clone();
        self.write("announce", move |tx| workers::announce(tx, &worker, ttl))
            .await
    }
}

fn size(stored: &StoredMessage) -> u64 {
    stored
        .message()
        .map_or(0, |message| message.body.len() as u64)
        + 512
}
