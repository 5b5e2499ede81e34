//! The store and its data plane.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::validate::{check_count, check_lease, check_settlements};
use longshore_core::{
    Backend, Clock, Content, Enqueued, MessageId, NewMessage, QueueName, QueueStore, Receipt,
    Receive, Received, Result, Settled, Settlement, StepListener, StoreLimits, Timestamp,
};
use tokio::time::{Instant, timeout_at};

use crate::clock::Bell;
use crate::schema::Data;

/// No receive waits longer than this: a year, far from where a point in time overflows.
const WAIT_MAX: Duration = Duration::from_secs(365 * 86_400);

/// A store in this process.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    data: Mutex<Data>,
    bell: Arc<Bell>,
}

impl MemoryStore {
    /// An empty store that runs on `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let bell = Arc::new(Bell::default());
        let listener: Arc<dyn StepListener> = bell.clone();
        clock.on_step(Arc::downgrade(&listener));
        Self {
            clock,
            data: Mutex::default(),
            bell,
        }
    }

    /// All handles of this store.
    pub fn backend(self: Arc<Self>) -> Backend {
        Backend::of(self.clone()).with_aggregates(self)
    }

    pub(crate) fn runs_on(&self, clock: &Arc<dyn Clock>) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.clock), Arc::as_ptr(clock))
    }

    /// The data and the time. Nothing waits while it holds them.
    pub(crate) fn lock(&self) -> (MutexGuard<'_, Data>, Timestamp) {
        let data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        (data, self.clock.now())
    }

    /// Wakes receivers after a change that may have made something ready.
    pub(crate) fn ring(&self) {
        self.bell.0.notify_waiters();
    }

    /// Overwrites the stored form of a live message: how tests plant damage.
    #[doc(hidden)]
    pub fn overwrite(&self, queue: &QueueName, id: MessageId, head: Bytes, body: Bytes) -> bool {
        let (mut data, _) = self.lock();
        let row = data.queues.get_mut(queue).and_then(|q| q.live.get_mut(&id));
        row.map(|row| row.content = Content::Damaged { id, head, body })
            .is_some()
    }

    /// One look at a queue: what it hands out, and when a waiting receiver should look again.
    fn try_receive(&self, name: &QueueName, request: &Receive) -> (Received, Option<Duration>) {
        let (mut data, now) = self.lock();
        let Data {
            queues, numbers, ..
        } = &mut *data;
        let Some(queue) = queues.get_mut(name) else {
            return (Received::default(), None);
        };
        queue.tick(now);
        let received = queue.receive(request, now, numbers);
        (received, queue.next_change().map(|at| at.since(now)))
    }
}

#[async_trait]
impl QueueStore for MemoryStore {
    fn limits(&self) -> StoreLimits {
        let mut limits = StoreLimits::exact();
        limits.durable = false;
        limits
    }

    async fn enqueue(&self, queue: &QueueName, batch: &[NewMessage]) -> Result<Vec<Enqueued>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = {
            let (mut data, now) = self.lock();
            data.enqueue(queue, batch, &self.limits(), now)?
        };
        self.ring();
        Ok(outcomes)
    }

    async fn receive(&self, queue: &QueueName, request: Receive) -> Result<Received> {
        check_lease("receive", request.lease)?;
        let request = Receive {
            batch_max: request.batch_max.min(self.limits().batch_max),
            ..request
        };
        let deadline = Instant::now() + request.wait_max.min(WAIT_MAX);
        let mut set_aside = 0;
        loop {
            // Listening begins before looking, so that no change in between goes unheard.
            let mut changed = std::pin::pin!(self.bell.0.notified());
            changed.as_mut().enable();
            let (mut received, next) = self.try_receive(queue, &request);
            set_aside += received.set_aside;
            if !received.deliveries.is_empty() || Instant::now() >= deadline {
                received.set_aside = set_aside;
                return Ok(received);
            }
            let next = next.map(|span| Instant::now() + span.min(WAIT_MAX));
            let look_again = next.map_or(deadline, |next| next.min(deadline));
            // An elapsed timeout is no error: it is time to look again.
            let _elapsed = timeout_at(look_again, changed).await;
        }
    }

    async fn extend(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        lease: Duration,
    ) -> Result<Vec<Settled>> {
        check_lease("extend", lease)?;
        check_count("extend", receipts.len(), &self.limits())?;
        let outcomes = {
            let (mut data, now) = self.lock();
            let Some(queue) = data.queues.get_mut(queue) else {
                return Ok(vec![Settled::LeaseLost; receipts.len()]);
            };
            queue.tick(now);
            receipts
                .iter()
                .map(|receipt| queue.extend(receipt, lease, now))
                .collect()
        };
        self.ring();
        Ok(outcomes)
    }

    async fn settle(&self, queue: &QueueName, batch: &[Settlement]) -> Result<Vec<Settled>> {
        check_settlements("settle", batch, &self.limits())?;
        let outcomes = {
            let (mut data, now) = self.lock();
            let Data {
                queues, numbers, ..
            } = &mut *data;
            let Some(queue) = queues.get_mut(queue) else {
                return Ok(vec![Settled::LeaseLost; batch.len()]);
            };
            queue.tick(now);
            batch
                .iter()
                .map(|item| queue.settle(item, now, numbers.next()))
                .collect()
        };
        self.ring();
        Ok(outcomes)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
