//! What opening a store yields.

use std::sync::Arc;
use std::time::Duration;

use crate::{
    AggregateStore, Backup, Clock, Fsck, LeaseStore, ProgressStore, QueueAdmin, QueueStore, Result,
    StoreError,
};

/// The handles of an open store: a value, not a type parameter. Cloning is cheap and shares the
/// connections.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Backend {
    /// The data plane.
    pub queues: Arc<dyn QueueStore>,
    /// The control plane.
    pub admin: Arc<dyn QueueAdmin>,
    /// Named leases.
    pub leases: Arc<dyn LeaseStore>,
    /// Progress of intakes.
    pub progress: Arc<dyn ProgressStore>,
    /// Aggregates, where the store has them.
    pub aggregates: Option<Arc<dyn AggregateStore>>,
    /// The proof of states, where the store has one.
    pub fsck: Option<Arc<dyn Fsck>>,
    /// Copying the store, where it is one file.
    pub backup: Option<Arc<dyn Backup>>,
}

impl Backend {
    /// A backend whose handles are all one value; it has no aggregates.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: QueueStore + QueueAdmin + LeaseStore + ProgressStore,
    {
        Self {
            queues: store.clone(),
            admin: store.clone(),
            leases: store.clone(),
            progress: store,
            aggregates: None,
            fsck: None,
            backup: None,
        }
    }

    /// Adds aggregates.
    #[must_use]
    pub fn with_aggregates(mut self, aggregates: Arc<dyn AggregateStore>) -> Self {
        self.aggregates = Some(aggregates);
        self
    }

    /// Adds a proof of states.
    #[must_use]
    pub fn with_fsck(mut self, fsck: Arc<dyn Fsck>) -> Self {
        self.fsck = Some(fsck);
        self
    }

    /// Adds copying.
    #[must_use]
    pub fn with_backup(mut self, backup: Arc<dyn Backup>) -> Self {
        self.backup = Some(backup);
        self
    }

    /// How this store is copied, or a clear refusal.
    pub fn backup(&self) -> Result<&Arc<dyn Backup>> {
        let words = "this store is no file that could be copied; copy a Redis server by its own \
                     BGSAVE, and Cassandra by snapshots of its nodes";
        self.backup
            .as_ref()
            .ok_or_else(|| StoreError::unsupported("backup", words))
    }

    /// The proof of states of this store, or a clear refusal.
    pub fn fsck(&self) -> Result<&Arc<dyn Fsck>> {
        let words = "this store keeps each message in one row, which needs no fsck; `longshore \
                     doctor` checks what else there is";
        self.fsck
            .as_ref()
            .ok_or_else(|| StoreError::unsupported("fsck", words))
    }

    /// The aggregates of this store, or a clear refusal.
    pub fn aggregates(&self) -> Result<&Arc<dyn AggregateStore>> {
        self.aggregates
            .as_ref()
            .ok_or_else(|| StoreError::unsupported("open", "this store keeps no aggregates"))
    }
}

/// How to open a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpenOptions {
    /// Read the time here; `None` is the store's own clock.
    pub clock: Option<Arc<dyn Clock>>,
    /// Every call ends by then. Default 5 s; `?timeout=` of the URL wins.
    pub call_timeout: Duration,
    /// Create what is missing. Without it a missing store is an error. Default true.
    pub create: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            clock: None,
            call_timeout: Duration::from_secs(5),
            create: true,
        }
    }
}
