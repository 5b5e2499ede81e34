//! The store and its data plane.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::{check_count, check_lease, check_settlements};
use longshore_core::{
    DepthBound, Enqueued, FreshIdRepeat, GivenIdRepeat, NewMessage, QueueName, QueueStore, Receipt,
    Receive, Received, Result, SettleFence, Settled, Settlement, StoreError, StoreErrorKind,
    StoreLimits, Timestamp,
};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::cql::dedup_keys::Keys;
use crate::cql::queue_catalog::Catalog;
use crate::cql::session::Link;
use crate::ownership::consumer_session::{ConsumerSession, HANDOVER_MAX};
use crate::ownership::process::Owner;
use crate::producer::append::Producer;
use crate::producer::depth_cache::Depths;
use crate::producer::recent_ids::Recent;
use crate::producer::write_queue::WriteQueue;
use crate::protocol::receipt::DeliveryTag;
use crate::shard::load::beyond_window::FIND_MAX;

/// No receive waits longer than this: a year, far from where a point in time overflows.
const WAIT_MAX: Duration = Duration::from_secs(365 * 86_400);

/// A look at a whole queue may take so many times as long as another call.
const LOOK_TIMES: u32 = 6;

/// A store on a Cassandra cluster.
pub struct CassandraStore {
    pub(crate) inner: Arc<Inner>,
}

/// What the handles and the tasks of a store share.
pub(crate) struct Inner {
    pub(crate) link: Arc<Link>,
    pub(crate) owner: Arc<Owner>,
    pub(crate) catalog: Catalog,
    pub(crate) keys: Keys,
    pub(crate) producer: Producer,
    pub(crate) write_queue: WriteQueue,
    pub(crate) recent: Recent,
    pub(crate) depths: Depths,
    pub(crate) consumer_session: ConsumerSession,
    /// Which shard goes first.
    pub(crate) turn: AtomicUsize,
    /// Every call ends by then.
    pub(crate) call_timeout: Duration,
}

impl CassandraStore {
    /// Stores a row as `enqueue` would store a message, but with these bytes as its stored form:
    /// how tests plant damage.
    #[doc(hidden)]
    pub async fn plant(
        &self,
        queue: &QueueName,
        new: &NewMessage,
        head: Vec<u8>,
        body: Vec<u8>,
    ) -> Result<()> {
        self.inner.plant(queue, new, head, body).await
    }

    pub(crate) fn link(&self) -> &Link {
        &self.inner.link
    }

    pub(crate) fn cell(&self) -> i16 {
        self.inner.catalog.cell
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.now()
    }

    /// Runs a call in a task of its own: what it began it ends, also if nobody waits any more.
    pub(crate) async fn carried<T, F>(&self, operation: &'static str, call: F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.carried_for(self.inner.call_timeout, operation, call)
            .await
    }

    /// The same for a look at a whole queue, which may have much to read.
    pub(crate) async fn looked<T, F>(&self, operation: &'static str, call: F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.carried_for(self.inner.call_timeout * LOOK_TIMES, operation, call)
            .await
    }

    /// Ends a call that only asks and decides by transactions at its deadline.
    pub(crate) async fn within<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let timeout = self.inner.call_timeout;
        let done = tokio::time::timeout(timeout, call).await;
        done.unwrap_or_else(|_| Err(deadline_exceeded(operation, timeout)))
    }

    async fn carried_for<T, F>(
        &self,
        timeout: Duration,
        operation: &'static str,
        call: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let done = tokio::time::timeout(timeout, tokio::spawn(call)).await;
        match done {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(StoreError::new(
                StoreErrorKind::Unexpected,
                operation,
                "the runtime of this program is shutting down",
            )
            .effect_unknown()),
            Err(_) => Err(deadline_exceeded(operation, timeout)),
        }
    }
}

/// The deadline passed before the servers answered.
pub(crate) fn deadline_exceeded(operation: &'static str, after: Duration) -> StoreError {
    let words = format!(
        "timed out after {after:?}; the cluster is slow or other processes hold what it asks for"
    );
    StoreError::new(StoreErrorKind::Timeout, operation, words).effect_unknown()
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.owner.clock.now()
    }
}

/// The limits of this store.
pub(crate) fn limits(shards: i32) -> StoreLimits {
    let mut limits = StoreLimits::exact();
    limits.body_bytes_max = 256 * 1024;
    limits.body_bytes_default = 256 * 1024;
    limits.settle_fence = SettleFence::Read;
    limits.depth = DepthBound::Estimate;
    limits.given_id_repeat = GivenIdRepeat::CollapsedAtDelivery;
    limits.fresh_id_repeat = FreshIdRepeat::SameCall;
    limits.handover_max = HANDOVER_MAX;
    limits.ordered = shards == 1;
    limits.find_rows_max = NonZeroU32::new(FIND_MAX as u32);
    limits.shared_across_hosts = true;
    limits
}

#[async_trait]
impl QueueStore for CassandraStore {
    fn limits(&self) -> StoreLimits {
        limits(self.inner.catalog.shards)
    }

    async fn enqueue(&self, queue: &QueueName, batch: &[NewMessage]) -> Result<Vec<Enqueued>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (inner, queue, batch) = (self.inner.clone(), queue.clone(), batch.to_vec());
        self.carried(
            "enqueue",
            async move { inner.enqueue(&queue, &batch).await },
        )
        .await
    }

    async fn receive(&self, queue: &QueueName, request: Receive) -> Result<Received> {
        check_lease("receive", request.lease)?;
        let request = Receive {
            batch_max: request.batch_max.min(self.limits().batch_max),
            ..request
        };
        let began = Instant::now();
        let deadline = began + request.wait_max.min(WAIT_MAX);
        let _here = self.inner.consumer_session.enter(request.wait_max);
        let owner = &self.inner.owner;
        let mut set_aside = 0;
        loop {
            // Listening begins before looking, so that no change in between goes unheard.
            let mut changed = std::pin::pin!(owner.changed.notified());
            changed.as_mut().enable();
            let pulled = self.pull(queue, request).await?;
            set_aside += pulled.received.set_aside;
            let mut received = pulled.received;
            // What others have may take until then to come here.
            let until = if pulled.is_whole {
                deadline
            } else {
                deadline.max(began + HANDOVER_MAX)
            };
            if !received.deliveries.is_empty() || Instant::now() >= until {
                received.set_aside = set_aside;
                if received.deliveries.is_empty() && !self.inner.consumer_session.is_resident() {
                    // Who waited in vain and may not come again holds nobody up.
                    let inner = self.inner.clone();
                    let given_up = tokio::spawn(async move { inner.owner.give_up_all().await });
                    let _ = given_up.await;
                }
                return Ok(received);
            }
            let next = pulled.next.map(|at| at.since(self.now()).min(WAIT_MAX));
            let next = next.map(|span| Instant::now() + span);
            let of_others = pulled.queue.filter(|_| !pulled.is_whole);
            let again = of_others.map(|queue| owner.demand.next_search(queue));
            let look_again = [next, again].into_iter().flatten().min();
            let look_again = look_again.map_or(until, |at| at.min(until));
            let _demand = pulled.queue.map(|queue| owner.demand.begin_receive(queue));
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
        let tags = self.inner.tags("extend", receipts.iter())?;
        let (inner, queue) = (self.inner.clone(), queue.clone());
        self.carried(
            "extend",
            async move { inner.extend(&queue, &tags, lease).await },
        )
        .await
    }

    async fn settle(&self, queue: &QueueName, batch: &[Settlement]) -> Result<Vec<Settled>> {
        check_settlements("settle", batch, &self.limits())?;
        let (inner, queue, batch) = (self.inner.clone(), queue.clone(), batch.to_vec());
        self.carried("settle", async move { inner.settle(&queue, &batch).await })
            .await
    }
}

/// Indexes of delivery tags by the shard they belong to; those of other queues are in no shard.
pub(crate) fn by_shard(queue: Uuid, tags: &[Option<DeliveryTag>]) -> HashMap<i32, Vec<usize>> {
    let mut shards: HashMap<i32, Vec<usize>> = HashMap::new();
    for (index, tag) in tags.iter().enumerate() {
        if let Some(tag) = tag.filter(|tag| tag.bucket.stream.queue == queue) {
            shards
                .entry(tag.bucket.stream.shard)
                .or_default()
                .push(index);
        }
    }
    shards
}

impl Drop for CassandraStore {
    fn drop(&mut self) {
        // Others need not wait until this process is taken for dead.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let owner = self.inner.owner.clone();
            runtime.spawn(async move { owner.give_up_all().await });
        }
    }
}

impl fmt::Debug for CassandraStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CassandraStore")
            .field("link", &self.inner.link)
            .field("cell", &self.inner.catalog.cell)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

impl Inner {
    /// The number of the shard that goes first this time.
    pub(crate) fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }
}
