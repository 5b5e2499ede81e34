//! The wrapper: every method of every trait, through the control.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::{
    Adopted, AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateStore, Appends,
    Backend, Changed, Configured, Cursor, Deleted, Due, Enqueued, Epoch, EpochChange, EpochInfo,
    Fate, Finding, Found, LeaseName, LeaseStore, MessageId, MovingMark, NamedLease, NewMessage,
    NewPart, Page, Part, Pause, ProgressStore, Purged, QueueAdmin, QueueName, QueueSettings,
    QueueStats, QueueStore, Receipt, Receive, Received, Result, SettingsChange, Settled,
    Settlement, StoreLimits, StoredMessage, Turn, Turned, Verdict, WorkerInfo,
};

use super::{Call, FaultControl};

/// A backend behind planned faults.
#[derive(Debug)]
pub struct FaultStore {
    inner: Backend,
    faults: FaultControl,
}

impl FaultStore {
    /// Puts faults before a backend. Without a plan every call goes through unchanged.
    pub fn wrap(inner: Backend) -> (Backend, FaultControl) {
        let faults = FaultControl::default();
        let has_aggregates = inner.aggregates.is_some();
        let store = Arc::new(Self {
            inner,
            faults: faults.clone(),
        });
        let mut wrapped = Backend::of(store.clone());
        if has_aggregates {
            wrapped = wrapped.with_aggregates(store);
        }
        (wrapped, faults)
    }
}

/// Writes the methods of a trait: which call it is, which handle has it, its arguments.
macro_rules! through {
    ($trait:ident in $handle:ident {
        $($extra:item)*
    } $($call:ident $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        #[async_trait]
        impl $trait for FaultStore {
            $($extra)*
            $(
                async fn $method(&self, $($argument: $type),*) -> Result<$answer> {
                    let made = self.inner.$handle.$method($($argument),*);
                    self.faults.run(Call::$call, made).await
                }
            )+
        }
    };
}

through! { QueueStore in queues {
        fn limits(&self) -> StoreLimits {
            self.inner.queues.limits()
        }
    }
    Enqueue enqueue(queue: &QueueName, batch: &[NewMessage]) -> Vec<Enqueued>;
    Receive receive(queue: &QueueName, request: Receive) -> Received;
    Extend extend(queue: &QueueName, receipts: &[Receipt], lease: Duration) -> Vec<Settled>;
    Settle settle(queue: &QueueName, batch: &[Settlement]) -> Vec<Settled>;
}

through! { QueueAdmin in admin {}
    Queues queues(after: Option<&Cursor>, max: NonZeroU32) -> Page<QueueName>;
    Stats stats(queue: &QueueName) -> Option<QueueStats>;
    Configure configure(queue: &QueueName, change: &SettingsChange) -> Configured;
    Settings settings(queue: &QueueName) -> QueueSettings;
    Peek peek(
        queue: &QueueName, after: Option<&Cursor>, max: NonZeroU32
    ) -> Page<StoredMessage>;
    Find find(queue: &QueueName, id: MessageId) -> Found;
    Cancel cancel(queue: &QueueName, ids: &[MessageId]) -> Vec<Changed>;
    Reschedule reschedule(queue: &QueueName, ids: &[MessageId], due: Due) -> Vec<Changed>;
    Purge purge(queue: &QueueName, batch_max: NonZeroU32) -> Purged;
    Pause pause(queue: &QueueName, pause: &Pause) -> ();
    Resume resume(queue: &QueueName) -> bool;
    MarkMoving mark_moving(queue: &QueueName, mark: Option<&MovingMark>) -> ();
    Delete delete(queue: &QueueName) -> Deleted;
    DeadLetters dead_letters(
        queue: &QueueName, after: Option<&Cursor>, max: NonZeroU32
    ) -> Page<StoredMessage>;
    Redrive redrive(queue: &QueueName, ids: &[MessageId]) -> Vec<Changed>;
    Discard discard(queue: &QueueName, ids: &[MessageId]) -> Vec<Changed>;
    Export export(
        queue: &QueueName, after: Option<&Cursor>, max: NonZeroU32
    ) -> Page<StoredMessage>;
    Adopt adopt(queue: &QueueName, messages: &[StoredMessage]) -> Vec<Adopted>;
    Workers workers() -> Vec<WorkerInfo>;
    Check check() -> Vec<Finding>;
    Announce announce(worker: &WorkerInfo, ttl: Duration) -> ();
}

through! { LeaseStore in leases {}
    Acquire acquire(name: &LeaseName, holder: &str, ttl: Duration) -> Option<NamedLease>;
    Renew renew(lease: &NamedLease, ttl: Duration) -> Option<NamedLease>;
    Release release(lease: &NamedLease) -> ();
    Current current(name: &LeaseName) -> Option<NamedLease>;
}

through! { ProgressStore in progress {}
    Load load(name: &LeaseName, key: &str) -> Option<Bytes>;
    List list(
        name: &LeaseName, after: Option<&Cursor>, max: NonZeroU32
    ) -> Page<(String, Bytes)>;
    Save save(lease: &NamedLease, entries: &[(String, Bytes)], keep: Duration) -> bool;
}

/// Only a store that has aggregates is asked for them.
#[async_trait]
impl AggregateStore for FaultStore {
    async fn append(
        &self,
        name: &AggregateName,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<Appends> {
        let made = self.inner.aggregates()?.append(name, rules, parts);
        self.faults.run(Call::Append, made).await
    }

    async fn turn(&self, name: &AggregateName, turn: Turn) -> Result<Turned> {
        let made = self.inner.aggregates()?.turn(name, turn);
        self.faults.run(Call::Turn, made).await
    }

    async fn parts(
        &self,
        name: &AggregateName,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<Part>> {
        let made = self.inner.aggregates()?.parts(name, key, epoch, after, max);
        self.faults.run(Call::Parts, made).await
    }

    async fn answer(&self, name: &AggregateName, verdicts: &[Verdict]) -> Result<Vec<Settled>> {
        let made = self.inner.aggregates()?.answer(name, verdicts);
        self.faults.run(Call::Answer, made).await
    }

    async fn finish(
        &self,
        name: &AggregateName,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>> {
        let made = self.inner.aggregates()?.finish(name, epochs);
        self.faults.run(Call::Finish, made).await
    }

    async fn list(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<AggregateInfo>> {
        let made = self.inner.aggregates()?.list(after, max);
        self.faults.run(Call::ListAggregates, made).await
    }

    async fn epochs(
        &self,
        name: &AggregateName,
        key: Option<&AggregateKey>,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<EpochInfo>> {
        let made = self.inner.aggregates()?.epochs(name, key, after, max);
        self.faults.run(Call::Epochs, made).await
    }

    async fn change(
        &self,
        name: &AggregateName,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>> {
        let made = self.inner.aggregates()?.change(name, epochs);
        self.faults.run(Call::ChangeEpochs, made).await
    }
}
