//! The control plane.

mod adopt;
mod change;
pub(crate) mod stats;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::{check_adopted, check_change, check_count};
use longshore_core::{
    Adopted, Changed, Configured, Cursor, Deleted, Due, Finding, Found, MessageId, MovingMark,
    Page, Pause, Purged, QueueAdmin, QueueName, QueueSettings, QueueStats, QueueStore, Result,
    SettingsChange, StoredMessage, WorkerInfo,
};

use crate::admin::change::Change;
use crate::cql::queue_def::QueueDef;
use crate::pages::cursor::{List, Stand};
use crate::store::{CassandraStore, Inner};

impl Inner {
    /// Looks for a message in all shards of a queue that may not exist.
    pub(crate) async fn find(self: &Arc<Self>, name: &QueueName, id: MessageId) -> Result<Found> {
        let Some(def) = self.catalog.get(name).await? else {
            return Ok(Found::NotFound);
        };
        let mut is_whole = true;
        for mut looked in self.look_at_all(&def).await? {
            let Some(shard) = looked.shard_mut() else {
                continue;
            };
            is_whole &= shard.reach(&[id.as_uuid()], self.now()).await?;
            if let Some(view) = shard.views(&[id.as_uuid()], self.now()).await?.pop() {
                return Ok(Found::Message(Box::new(view)));
            }
        }
        Ok(if is_whole {
            Found::NotFound
        } else {
            Found::NotFoundWithinBound
        })
    }
}

impl CassandraStore {
    async fn change_ids(
        &self,
        call: &'static str,
        queue: &QueueName,
        ids: &[MessageId],
        change: Change,
    ) -> Result<Vec<Changed>> {
        check_count(call, ids.len(), &self.limits())?;
        let (inner, queue, ids) = (self.inner.clone(), queue.clone(), ids.to_vec());
        self.carried(call, async move {
            inner.change_each(call, &queue, &ids, change).await
        })
        .await
    }

    async fn settings_of(&self, queue: &QueueName) -> Result<Option<Arc<QueueDef>>> {
        self.within("settings", self.inner.catalog.get(queue)).await
    }

    async fn list(
        &self,
        queue: &QueueName,
        list: List,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let after: Option<Stand> = after.map(|cursor| list.stand(cursor)).transpose()?;
        let (inner, queue) = (self.inner.clone(), queue.clone());
        self.looked("list", async move {
            let def = inner.catalog.get(&queue).await?;
            inner.page(def, list, after, max).await
        })
        .await
    }
}

#[async_trait]
impl QueueAdmin for CassandraStore {
    async fn queues(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<QueueName>> {
        self.within("queues", self.inner.page_queues(after, max))
            .await
    }

    async fn stats(&self, queue: &QueueName) -> Result<Option<QueueStats>> {
        let (inner, queue) = (self.inner.clone(), queue.clone());
        self.looked("stats", async move { inner.stats(&queue).await })
            .await
    }

    async fn configure(&self, queue: &QueueName, change: &SettingsChange) -> Result<Configured> {
        check_change("configure", change, &self.limits())?;
        let changed = self.inner.catalog.change(queue, |def| {
            let overridden = def.settings.apply(change);
            Configured::new(def.settings.clone(), overridden)
        });
        self.within("configure", changed).await
    }

    async fn settings(&self, queue: &QueueName) -> Result<QueueSettings> {
        let def = self.settings_of(queue).await?;
        Ok(def.map_or_else(QueueSettings::default, |def| def.settings.clone()))
    }

    async fn peek(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        self.list(queue, List::Peek, after, max).await
    }

    async fn find(&self, queue: &QueueName, id: MessageId) -> Result<Found> {
        let (inner, queue) = (self.inner.clone(), queue.clone());
        self.looked("find", async move { inner.find(&queue, id).await })
            .await
    }

    async fn cancel(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change_ids("cancel", queue, ids, Change::Cancel).await
    }

    async fn reschedule(
        &self,
        queue: &QueueName,
        ids: &[MessageId],
        due: Due,
    ) -> Result<Vec<Changed>> {
        let change = Change::Reschedule(due);
        self.change_ids("reschedule", queue, ids, change).await
    }

    async fn purge(&self, queue: &QueueName, batch_max: NonZeroU32) -> Result<Purged> {
        let (inner, queue) = (self.inner.clone(), queue.clone());
        let max = batch_max.get() as usize;
        self.carried("purge", async move { inner.purge(&queue, max).await })
            .await
    }

    async fn pause(&self, queue: &QueueName, pause: &Pause) -> Result<()> {
        let since = self.now();
        let changed = self.inner.catalog.change(queue, |def| {
            def.pause = Some(Pause {
                since,
                ..pause.clone()
            });
        });
        self.within("pause", changed).await
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool> {
        if self.settings_of(queue).await?.is_none() {
            return Ok(false);
        }
        let changed = self
            .inner
            .catalog
            .change(queue, |def| def.pause.take().is_some());
        let resumed = self.within("resume", changed).await?;
        self.inner.owner.changed.notify_waiters();
        Ok(resumed)
    }

    async fn mark_moving(&self, queue: &QueueName, mark: Option<&MovingMark>) -> Result<()> {
        if mark.is_none() && self.settings_of(queue).await?.is_none() {
            return Ok(());
        }
        let since = self.now();
        let changed = self.inner.catalog.change(queue, |def| {
            def.moving = mark.map(|mark| MovingMark {
                since,
                ..mark.clone()
            });
        });
        self.within("move", changed).await?;
        self.inner.owner.changed.notify_waiters();
        Ok(())
    }

    async fn delete(&self, queue: &QueueName) -> Result<Deleted> {
        match self.stats(queue).await? {
            None => return Ok(Deleted::NotFound),
            Some(stats) if stats.live() + stats.dead > 0 => return Ok(Deleted::NotEmpty),
            Some(_) => {}
        }
        let deleted = self.inner.catalog.delete(queue);
        self.within("delete", deleted).await?;
        // The process that knew it as it was may have stored something meanwhile: then it exists.
        Ok(match self.stats(queue).await? {
            None => Deleted::Done,
            Some(_) => Deleted::NotEmpty,
        })
    }

    async fn dead_letters(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        self.list(queue, List::Dead, after, max).await
    }

    async fn redrive(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change_ids("redrive", queue, ids, Change::Redrive)
            .await
    }

    async fn discard(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change_ids("discard", queue, ids, Change::Discard)
            .await
    }

    async fn export(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        self.list(queue, List::Export, after, max).await
    }

    async fn adopt(&self, queue: &QueueName, messages: &[StoredMessage]) -> Result<Vec<Adopted>> {
        check_adopted("adopt", messages, &self.limits())?;
        let (inner, queue) = (self.inner.clone(), queue.clone());
        let messages = messages.to_vec();
        self.carried("adopt", async move { inner.adopt(&queue, &messages).await })
            .await
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>> {
        self.within("workers", self.list_workers()).await
    }

    async fn check(&self) -> Result<Vec<Finding>> {
        self.findings().await
    }

    async fn announce(&self, worker: &WorkerInfo, ttl: Duration) -> Result<()> {
        self.within("announce", self.announce_worker(worker, ttl))
            .await
    }
}
