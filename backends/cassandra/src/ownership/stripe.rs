//! Stripes: the units in which processes share the work of a cell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedRwLockReadGuard, RwLock};
use tokio::time::Instant;
use uuid::Uuid;

use crate::protocol::storage::Ownership;
use crate::shard::Shard;

/// How many stripes a cell has: the number of leases, whatever the number of queues.
pub(crate) const STRIPES: i16 = 256;

/// How many stripes share a doorbell.
const TO_A_BELL: i16 = 16;

/// The stripe of a shard. Consecutive shards of a queue lie on different stripes.
pub(crate) fn stripe_of(queue: Uuid, shard: i32) -> i16 {
    let hash = xxhash_rust::xxh3::xxh3_64(queue.as_bytes());
    let number =
        hash.wrapping_add(u64::from(shard.unsigned_abs())) % u64::from(STRIPES.unsigned_abs());
    number as i16
}

/// The doorbell of a stripe.
pub(crate) fn doorbell_of(stripe: i16) -> i16 {
    stripe / TO_A_BELL
}

/// A shard in memory, or the place for it.
pub(crate) type Slot = Arc<AsyncMutex<Option<Shard>>>;

/// A stripe as this process sees it. A task that works on its shards holds the lock for reading;
/// one that takes the stripe or gives it up holds it for writing.
#[derive(Debug)]
pub(crate) struct Stripe {
    pub(crate) number: i16,
    pub(crate) held: Arc<RwLock<Held>>,
}

/// Whether the stripe is ours, and its shards that are in memory.
#[derive(Debug)]
pub(crate) struct Held {
    /// What was read or written last; ours only if it names this process.
    pub(crate) ownership: Option<Ownership>,
    /// Since when.
    pub(crate) since: Instant,
    shards: Mutex<HashMap<(Uuid, i32), Slot>>,
}

/// A shard of a stripe that is ours, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) shard: OwnedMutexGuard<Option<Shard>>,
    pub(crate) _held: OwnedRwLockReadGuard<Held>,
}

impl Stripe {
    pub(crate) fn new(number: i16) -> Self {
        Self {
            number,
            held: Arc::new(RwLock::new(Held {
                ownership: None,
                since: Instant::now(),
                shards: Mutex::default(),
            })),
        }
    }
}

impl Held {
    pub(crate) fn slot(&self, queue: Uuid, shard: i32) -> Slot {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        shards.entry((queue, shard)).or_default().clone()
    }

    /// The shards that were asked for.
    pub(crate) fn slots(&self) -> Vec<((Uuid, i32), Slot)> {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        shards
            .iter()
            .map(|(key, slot)| (*key, slot.clone()))
            .collect()
    }

    /// Waits until all that was decided here is written. Nobody decides more meanwhile: this is
    /// for the task that holds the lock of the stripe for writing.
    pub(crate) async fn all_completed(&self) {
        for (_, slot) in self.slots() {
            if let Some(shard) = slot.lock().await.as_ref() {
                shard.in_flight_writes.all_completed().await;
            }
        }
    }

    /// Notes a change of owner: what is in memory is of before.
    pub(crate) fn change(&mut self, ownership: Option<Ownership>) {
        self.ownership = ownership;
        self.since = Instant::now();
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        shards.clear();
    }
}
