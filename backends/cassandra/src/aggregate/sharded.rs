//! An aggregate as it is cut up.

use std::sync::Arc;

use longshore_core::{AggregateKey, AggregateName, Epoch, EpochShard};
use xxhash_rust::xxh3::xxh3_64;

use crate::aggregate::submit::SharedLog;

/// An aggregate and its shards.
#[derive(Debug)]
pub(crate) struct Sharded {
    /// The cell of this process.
    pub(super) here: i16,
    pub(super) name: AggregateName,
    pub(super) shards: Vec<Arc<SharedLog>>,
}

impl Sharded {
    /// The shard of a key: it never changes.
    pub(super) fn of_key(&self, key: &AggregateKey) -> usize {
        let shards = self.shards.len().max(1) as u64;
        (xxh3_64(key.as_str().as_bytes()) % shards) as usize
    }

    /// The shard of an epoch.
    pub(super) fn of_epoch(&self, epoch: Epoch) -> usize {
        EpochShard::of(epoch, self.shards.len() as u64) as usize
    }
}
