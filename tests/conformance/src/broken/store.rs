//! A good store behind a flaw.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::{
    Adopted, Backend, Changed, Configured, Cursor, Deleted, Due, Enqueued, Finding, Found,
    LeaseName, LeaseStore, MessageId, MovingMark, NamedLease, NewMessage, Page, Pause,
    ProgressStore, Purged, QueueAdmin, QueueName, QueueSettings, QueueStats, QueueStore, Receipt,
    Receive, Received, Result, SettingsChange, Settled, Settlement, StoreLimits, StoredMessage,
    WorkerInfo,
};

use super::Flaw;

/// The current receipt of each message, where ids stand for receipts.
pub(super) type Receipts = Arc<Mutex<HashMap<Vec<u8>, Receipt>>>;

/// A handle to a broken store.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) inner: Backend,
    pub(super) flaw: Flaw,
    pub(super) receipts: Receipts,
}

impl Broken {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Replaces the receipts of deliveries by their ids.
    fn unfence(&self, received: &mut Received) {
        let mut receipts = self.receipts.lock().expect("no poison");
        for one in &mut received.deliveries {
            let id = one.message.id.as_uuid().as_bytes().to_vec();
            let real = std::mem::replace(&mut one.receipt, Receipt::from_bytes(id.clone()));
            receipts.insert(id, real);
        }
    }

    /// The receipt that the good store knows.
    fn real(&self, receipt: &Receipt) -> Receipt {
        let receipts = self.receipts.lock().expect("no poison");
        let real = receipts.get(receipt.as_bytes());
        real.unwrap_or(receipt).clone()
    }

    fn cut<T>(&self, mut page: Page<T>) -> Page<T> {
        if self.is(Flaw::PagesCut) {
            page.next = None;
        }
        page
    }
}

#[async_trait]
impl QueueStore for Broken {
    fn limits(&self) -> StoreLimits {
        self.inner.queues.limits()
    }

    async fn enqueue(&self, queue: &QueueName, batch: &[NewMessage]) -> Result<Vec<Enqueued>> {
        let batch: Vec<_> = batch.iter().map(|new| self.flaw.stores(new)).collect();
        let answer = self.inner.queues.enqueue(queue, &batch).await;
        if answer.is_err() && self.is(Flaw::HalfABatch) {
            for new in batch {
                let _refused = self.inner.queues.enqueue(queue, &[new]).await;
            }
        }
        answer
    }

    async fn receive(&self, queue: &QueueName, mut request: Receive) -> Result<Received> {
        match self.flaw {
            Flaw::BatchTooLarge => request.batch_max = request.batch_max.saturating_add(1),
            Flaw::LeaseTooLong => request.lease *= 2,
            Flaw::NoWaiting => request.wait_max = Duration::ZERO,
            _ => {}
        }
        let mut received = self.inner.queues.receive(queue, request).await?;
        self.flaw.hands_out(&mut received);
        if self.is(Flaw::NoFence) {
            self.unfence(&mut received);
        }
        Ok(received)
    }

    async fn extend(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        lease: Duration,
    ) -> Result<Vec<Settled>> {
        if self.is(Flaw::ExtendIgnored) {
            return Ok(vec![Settled::Applied; receipts.len()]);
        }
        let real: Vec<_> = receipts.iter().map(|one| self.real(one)).collect();
        self.inner.queues.extend(queue, &real, lease).await
    }

    async fn settle(&self, queue: &QueueName, batch: &[Settlement]) -> Result<Vec<Settled>> {
        let mut outcomes = Vec::new();
        for item in batch {
            let Some(disposition) = self.flaw.ends(&item.disposition) else {
                outcomes.push(Settled::Applied);
                continue;
            };
            let receipt = self.real(&item.receipt);
            let item = Settlement {
                receipt,
                disposition,
            };
            outcomes.extend(self.inner.queues.settle(queue, &[item]).await?);
        }
        Ok(outcomes)
    }
}

#[async_trait]
impl QueueAdmin for Broken {
    async fn queues(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<QueueName>> {
        self.inner.admin.queues(after, max).await
    }

    async fn stats(&self, queue: &QueueName) -> Result<Option<QueueStats>> {
        self.inner.admin.stats(queue).await
    }

    async fn configure(&self, queue: &QueueName, change: &SettingsChange) -> Result<Configured> {
        let mut change = change.clone();
        if self.is(Flaw::DepthIgnored) {
            change.depth_max = None;
        }
        self.inner.admin.configure(queue, &change).await
    }

    async fn settings(&self, queue: &QueueName) -> Result<QueueSettings> {
        self.inner.admin.settings(queue).await
    }

    async fn peek(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let page = self.inner.admin.peek(queue, after, max).await;
        page.map(|page| self.cut(page))
    }

    async fn find(&self, queue: &QueueName, id: MessageId) -> Result<Found> {
        self.inner.admin.find(queue, id).await
    }

    async fn cancel(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        if self.is(Flaw::CancelLost) {
            return Ok(vec![Changed::Applied; ids.len()]);
        }
        self.inner.admin.cancel(queue, ids).await
    }

    async fn reschedule(
        &self,
        queue: &QueueName,
        ids: &[MessageId],
        due: Due,
    ) -> Result<Vec<Changed>> {
        self.inner.admin.reschedule(queue, ids, due).await
    }

    async fn purge(&self, queue: &QueueName, batch_max: NonZeroU32) -> Result<Purged> {
        self.inner.admin.purge(queue, batch_max).await
    }

    async fn pause(&self, queue: &QueueName, pause: &Pause) -> Result<()> {
        if self.is(Flaw::PauseIgnored) {
            return Ok(());
        }
        self.inner.admin.pause(queue, pause).await
    }

    async fn resume(&self, queue: &QueueName) -> Result<bool> {
        self.inner.admin.resume(queue).await
    }

    async fn mark_moving(&self, queue: &QueueName, mark: Option<&MovingMark>) -> Result<()> {
        self.inner.admin.mark_moving(queue, mark).await
    }

    async fn delete(&self, queue: &QueueName) -> Result<Deleted> {
        if self.is(Flaw::DeleteTakesAll) {
            self.inner.admin.purge(queue, NonZeroU32::MAX).await?;
        }
        self.inner.admin.delete(queue).await
    }

    async fn dead_letters(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let page = self.inner.admin.dead_letters(queue, after, max).await;
        page.map(|page| self.cut(page))
    }

    async fn redrive(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        if self.is(Flaw::RedriveIsDiscard) {
            return self.inner.admin.discard(queue, ids).await;
        }
        self.inner.admin.redrive(queue, ids).await
    }

    async fn discard(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>> {
        self.inner.admin.discard(queue, ids).await
    }

    async fn export(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>> {
        let page = self.inner.admin.export(queue, after, max).await;
        page.map(|page| self.cut(page))
    }

    async fn adopt(&self, queue: &QueueName, messages: &[StoredMessage]) -> Result<Vec<Adopted>> {
        let messages: Vec<_> = messages.iter().map(|one| self.flaw.adopts(one)).collect();
        self.inner.admin.adopt(queue, &messages).await
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>> {
        self.inner.admin.workers().await
    }

    async fn check(&self) -> Result<Vec<Finding>> {
        self.inner.admin.check().await
    }

    async fn announce(&self, worker: &WorkerInfo, ttl: Duration) -> Result<()> {
        self.inner.admin.announce(worker, ttl).await
    }
}

#[async_trait]
impl LeaseStore for Broken {
    async fn acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<NamedLease>> {
        let mut lease = self.inner.leases.acquire(name, holder, ttl).await?;
        if let Some(lease) = &mut lease
            && self.is(Flaw::EpochsStandStill)
        {
            lease.epoch = 1;
        }
        Ok(lease)
    }

    async fn renew(&self, lease: &NamedLease, ttl: Duration) -> Result<Option<NamedLease>> {
        self.inner.leases.renew(lease, ttl).await
    }

    async fn release(&self, lease: &NamedLease) -> Result<()> {
        self.inner.leases.release(lease).await
    }

    async fn current(&self, name: &LeaseName) -> Result<Option<NamedLease>> {
        self.inner.leases.current(name).await
    }
}

#[async_trait]
impl ProgressStore for Broken {
    async fn load(&self, name: &LeaseName, key: &str) -> Result<Option<Bytes>> {
        self.inner.progress.load(name, key).await
    }

    async fn list(
        &self,
        name: &LeaseName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<(String, Bytes)>> {
        let mut page = self.inner.progress.list(name, after, max).await?;
        if self.is(Flaw::ProgressEndsEarly) {
            page.next = None;
        }
        Ok(page)
    }

    async fn save(
        &self,
        lease: &NamedLease,
        entries: &[(String, Bytes)],
        keep: Duration,
    ) -> Result<bool> {
        let current = self.inner.leases.current(&lease.name).await?;
        let lease = match &current {
            Some(current) if self.is(Flaw::ProgressNotFenced) => current,
            _ => lease,
        };
        self.inner.progress.save(lease, entries, keep).await
    }
}
