//! A proof that each message of a queue is in exactly one state.

use std::fmt;

use async_trait::async_trait;

use crate::{Finding, QueueName, Result};

/// What a store that keeps a message in several rows offers beside its control plane.
#[async_trait]
pub trait Fsck: fmt::Debug + Send + Sync + 'static {
    /// Reads all that is stored of a queue, and says in which state each message is and what is
    /// wrong; `None` if the queue does not exist. Reads without stopping anybody: what changes
    /// meanwhile is counted as it was before or as it is after.
    ///
    /// With `repair`, mends what can be mended without a doubt; a message is never removed by
    /// it. It may be run again, and beside workers.
    async fn fsck(&self, queue: &QueueName, repair: bool) -> Result<Option<Census>>;
}

/// The messages of a queue by their state, and what is wrong with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Census {
    /// Those that the next receive may take, or that wait for their group.
    pub waiting: u64,
    /// Those whose due time is ahead.
    pub delayed: u64,
    /// Those that a receipt holds.
    pub leased: u64,
    /// Dead letters.
    pub dead: u64,
    /// Rows of messages that are done and were not swept away yet.
    pub settled: u64,
    /// How many things were mended.
    pub repaired: u64,
    /// What is wrong; and what is good to know.
    pub findings: Vec<Finding>,
}
