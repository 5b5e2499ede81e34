//! The raw floor of a store: what the bare driver does with the same bytes.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;

use crate::Result;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorSpec {
    /// How many messages.
    pub messages: u64,
    /// How many bytes each body has.
    pub body_bytes: usize,
    /// How many are enqueued in one transaction or pipeline.
    pub enqueue_batch: NonZeroU32,
    /// How many are claimed, and then deleted, in one transaction or pipeline.
    pub batch: NonZeroU32,
    /// How many connections work at a time.
    pub workers: NonZeroU32,
}

/// How long the bare driver took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloorReport {
    /// Batched inserts of all messages.
    pub enqueue: Duration,
    /// Batched claims and deletes of all messages.
    pub receive_settle: Duration,
}

/// Measures the raw floor of a store: same bytes, batch and durability, no longshore.
#[async_trait]
pub trait Floor: fmt::Debug + Send + Sync {
    /// Runs the bare driver once on scratch data beside the store and removes it again.
    async fn measure(&self, spec: FloorSpec) -> Result<FloorReport>;

    /// Does the same without noting which consumer has which message: faster, but what a consumer
    /// that dies had is lost. `None` where a store has no such commands.
    async fn measure_unclaimed(&self, spec: FloorSpec) -> Result<Option<FloorReport>> {
        let _ = spec;
        Ok(None)
    }

    /// What the servers behind the store count, where they can be asked for it.
    async fn counts(&self) -> Result<Option<ServerCounts>> {
        Ok(None)
    }

    /// The server behind the store, where it can be asked about itself.
    fn server(&self) -> Option<&dyn FloorServer> {
        None
    }
}

/// What a server has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerUsage {
    /// The processor time of the thread that carries out commands, since the server began.
    pub processor: Duration,
    /// The memory of its data now, in bytes.
    pub memory_bytes: u64,
}

/// What the servers of a store counted since they began, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerCounts {
    /// Reads of the store's tables, each counted by every replica that was asked.
    pub reads: u64,
    /// Writes to the store's tables, each counted by every replica.
    pub writes: u64,
    /// Lightweight transactions that were committed.
    pub transactions: u64,
    /// The most deleted rows that one of the last reads had to pass.
    pub tombstones_max: u64,
}

/// Asks the server of a store about itself, and cleans up after a measurement.
#[async_trait]
pub trait FloorServer: fmt::Debug + Send + Sync {
    /// What the server has used so far, by everyone.
    async fn usage(&self) -> Result<ServerUsage>;

    /// How many keys lie under the prefix of the URL.
    async fn keys(&self) -> Result<u64>;

    /// How much memory the messages of `spec` take while they wait in the raw form.
    async fn waiting_bytes(&self, spec: FloorSpec) -> Result<u64>;

    /// Removes everything under the prefix of the URL.
    ///
    /// # Errors
    /// `InvalidInput` where the prefix does not begin with `bench-`: other keys belong to a user.
    async fn clear(&self) -> Result<()>;
}
