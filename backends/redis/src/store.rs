//! The store and its data plane.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::{
    DepthBound, Enqueued, FreshIdRepeat, LeaseUnit, NewMessage, OpenOptions, QueueName, QueueStore,
    Receipt, Receive, Received, Result, Settled, Settlement, StoreLimits,
};

use crate::clock::Time;
use crate::config::{AckLevel, Config};
use crate::connection::call::Call;
use crate::connection::dialer::Dialer;
use crate::connection::reply::Reply;
use crate::connection::session::Session;
use crate::enqueue::direct_gate::DirectGate;
use crate::enqueue::recent_calls::RecentCalls;
use crate::layout::schema::Keys;
use crate::receive::path_choice::PathChoice;
use crate::scripts::Script;
use crate::settings::queue_cache::QueueCache;
use crate::wakeup::Wakeups;

/// A lookup by id reads at most this many rows.
const FIND_ROWS_MAX: u32 = 1_000_000;

/// An open Redis store.
#[derive(Debug)]
pub struct RedisStore {
    pub(crate) session: Session,
    pub(crate) keys: Keys,
    pub(crate) time: Time,
    pub(crate) wakeups: Arc<Wakeups>,
    pub(crate) limits: StoreLimits,
    pub(crate) partitions: u16,
    /// This handle among all that enqueue.
    pub(crate) producer: String,
    /// Whether the driver repeats a call by itself: only the one for clusters does.
    pub(crate) repeats: bool,
    /// Counts calls, to number batches and to spread them over partitions.
    calls: AtomicU64,
    /// Queues whose settings were read lately.
    pub(crate) queue_cache: QueueCache,
    /// What was enqueued lately, so that a repeat is recognised.
    pub(crate) recent_calls: RecentCalls,
    /// Which path the next receive of a partition goes.
    pub(crate) path_choice: PathChoice,
    /// Where batches go by bare commands.
    pub(crate) direct_gate: DirectGate,
}

impl RedisStore {
    pub(crate) fn new(
        session: Session,
        dialer: Dialer,
        config: &Config,
        options: OpenOptions,
    ) -> Arc<Self> {
        let keys = Keys::new(&config.prefix);
        let producer = format!("{:016x}", fastrand::u64(..));
        let wakeups = Wakeups::new(dialer, keys.channel(&producer));
        if let Some(clock) = &options.clock {
            let listener: Arc<dyn longshore_core::StepListener> = wakeups.clone();
            clock.on_step(Arc::downgrade(&listener));
        }
        Arc::new(Self {
            session,
            keys,
            time: Time::new(options.clock),
            wakeups,
            limits: limits(config),
            partitions: config.partitions.get(),
            producer,
            repeats: matches!(config.servers, crate::config::Servers::Cluster(_)),
            calls: AtomicU64::new(0),
            queue_cache: QueueCache::default(),
            recent_calls: RecentCalls::default(),
            direct_gate: DirectGate::default(),
            path_choice: PathChoice::default(),
        })
    }

    /// Asks the server for its time, once before anything else.
    pub(crate) async fn greeted(&self) -> Result<()> {
        let time = self.session.command("open", &redis::cmd("TIME")).await?;
        let [seconds, micros] = time.fixed()?;
        self.time
            .observe_time(seconds.number()? * 1000 + micros.number()? / 1000);
        Ok(())
    }

    /// The number of the next call of this handle.
    pub(crate) fn next_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A call of a script on a whole partition, begun with the time.
    pub(crate) fn call(
        &self,
        operation: &'static str,
        script: &'static Script,
        queue: &QueueName,
        partition: u16,
    ) -> Call {
        let mut call = Call::new(operation, script, self.keys.partition(queue, partition));
        call.arg(self.time.argument());
        call
    }

    /// One answer of '0' or '1' for each item.
    pub(crate) async fn marks(&self, call: &Call, count: usize) -> Result<Vec<u8>> {
        let marks = self.session.run(call).await?.bytes()?;
        read_marks(&marks, count)
    }
}

pub(crate) fn read_marks(marks: &[u8], count: usize) -> Result<Vec<u8>> {
    if marks.len() == count {
        return Ok(marks.to_vec());
    }
    Err(crate::error::unexpected_reply(
        "settle",
        "there are too few outcomes",
    ))
}

fn limits(config: &Config) -> StoreLimits {
    let mut limits = StoreLimits::exact();
    limits.lease_unit = LeaseUnit::Receive;
    limits.find_rows_max = NonZeroU32::new(FIND_ROWS_MAX);
    limits.fresh_id_repeat = FreshIdRepeat::SameCall;
    limits.shared_across_hosts = true;
    limits.durable = config.ack != AckLevel::Memory;
    if config.partitions.get() > 1 {
        limits.ordered = false;
        limits.depth = DepthBound::PerPartition;
    }
    limits
}

#[async_trait]
impl QueueStore for RedisStore {
    fn limits(&self) -> StoreLimits {
        self.limits.clone()
    }

    async fn enqueue(&self, queue: &QueueName, batch: &[NewMessage]) -> Result<Vec<Enqueued>> {
        self.enqueue_batch(queue, batch).await
    }

    async fn receive(&self, queue: &QueueName, request: Receive) -> Result<Received> {
        self.receive_some(queue, request).await
    }

    async fn extend(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        lease: Duration,
    ) -> Result<Vec<Settled>> {
        self.extend_leases(queue, receipts, lease).await
    }

    async fn settle(&self, queue: &QueueName, batch: &[Settlement]) -> Result<Vec<Settled>> {
        self.settle_batch(queue, batch).await
    }
}

/// Reads a script's answer about its own time.
pub(crate) fn observe_time(store: &RedisStore, now: Reply) -> Result<i64> {
    let now = now.number()?;
    store.time.observe_time(now);
    Ok(now)
}
