//! The control plane.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::check_change;
use longshore_core::{
    Adopted, Changed, Configured, Cursor, Deleted, Due, Finding, Found, MessageId, MovingMark,
    Page, Pause, Purged, QueueAdmin, QueueName, QueueSettings, QueueStats, Result, SettingsChange,
    StoredMessage, WorkerInfo,
};

use crate::settle::due_text;
use crate::store::RedisStore;

#[async_trait]
impl QueueAdmin for RedisStore {
    async fn queues(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<QueueName>> {
        self.page_queues(after, max).await
    }

    async fn stats(&self, queue: &QueueName) -> Result<Option<QueueStats>> {
        self.stats_of(queue).await
    }

    async fn configure(&self, queue: &QueueName, change: &SettingsChange) -> Result<Configured> {
        check_change("configure", change, &self.limits)?;
        self.change_settings(queue, change).await
    }

    async fn settings(&self, queue: &QueueName) -> Result<QueueSettings> {
        self.settings_of(queue).await
    }

    async fn peek(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        self.page_live(queue, after, max).await
    }

    async fn find(&self, queue: &QueueName, id: MessageId) -> Result<Found> {
        self.find_one(queue, id).await
    }

    async fn cancel(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.change("cancel", queue, ids, "cancel").await
    }

    async fn reschedule(
        &self,
        queue: &QueueName,
        ids: &[MessageId],
        due: Due,
    ) -> Result<Vec<Changed>> {
        self.change("reschedule", queue, ids, &due_text(due)).await
    }

    async fn purge(&self, queue: &QueueName, batch_max: NonZeroU32) -> Result<Purged> {
        self.purge_some(queue, batch_max).await
    }

    async fn pause(&self, queue: &QueueName, pause: &Pause) -> Result<()> {
        self.set_pause(queue, Some(pause)).await.map(drop)
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool> {
        self.set_pause(queue, None).await
    }

    async fn mark_moving(&self, queue: &QueueName, mark: Option<&MovingMark>) -> Result<()> {
        self.set_moving(queue, mark).await.map(drop)
    }

    async fn delete(&self, queue: &QueueName) -> Result<Deleted> {
        self.delete_empty(queue).await
    }

    async fn dead_letters(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        self.page_dead(queue, after, max).await
    }

    async fn redrive(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.redrive_dead(queue, ids).await
    }

    async fn discard(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.discard_dead(queue, ids).await
    }

    async fn export(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        self.page_all(queue, after, max).await
    }

    async fn adopt(&self, queue: &QueueName, messages: &[StoredMessage]) -> Result<Vec<Adopted>> {
        self.adopt_all(queue, messages).await
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>> {
        self.list_workers().await
    }

    async fn check(&self) -> Result<Vec<Finding>> {
        self.findings().await
    }

    async fn announce(&self, worker: &WorkerInfo, ttl: Duration) -> Result<()> {
        self.announce_worker(worker, ttl).await
    }
}
