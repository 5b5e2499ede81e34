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
}
