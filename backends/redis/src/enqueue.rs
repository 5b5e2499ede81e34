//! Storing messages.
//!
//! A batch is split into one part for each partition ([`partition_batch`]). Most parts go by one
//! script ([`general`] or the plain script); many plain messages at once go by bare
//! commands in a transaction ([`direct`]), where [`direct_gate`] says that a script found the
//! partition as it should be.
//!
//! **Owns** which calls were made lately ([`recent_calls`]) and where the direct path may be taken.
//!
//! **Invariant.** A call that this handle repeats stores nothing twice: it goes to the same
//! partition under the same number, and the server knows the number. Given ids and dedup keys are
//! known to the server itself. Both paths leave the same
//! rows.
//!
//! **When a process is killed.** A part is stored as a whole or not at all. Of a batch over several
//! partitions some parts may be stored; nobody was told. A repeat by another process adds only those
//! that are missing where the ids were given; fresh ids are known to the handle that died alone.
//!
//! **Who writes.** The enqueue scripts and the transaction of [`direct`]: streams, delayed rows,
//! groups, dedup keys and the counters of the partition.

pub(crate) mod direct;
pub(crate) mod direct_gate;
pub(crate) mod general;
pub(crate) mod partition_batch;
pub(crate) mod recent_calls;

use std::collections::BTreeMap;

use longshore_core::validate::check_batch;
use longshore_core::{Effect, Enqueued, IdOrigin, NewMessage, QueueName, Result};
use xxhash_rust::xxh3::xxh3_64;

use crate::enqueue::partition_batch::PartitionBatch;
use crate::enqueue::recent_calls::{Earlier, fingerprint};
use crate::layout::row::id_bytes;
use crate::store::RedisStore;

impl RedisStore {
    pub(crate) async fn enqueue_batch(
        &self,
        queue: &QueueName,
        batch: &[NewMessage],
    ) -> Result<Vec<Enqueued>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let settings = self.settings_of(queue).await?;
        check_batch("enqueue", batch, &settings, &self.limits)?;
        self.register(queue, false).await?;
        let fingerprint = fingerprint(queue, batch);
        let now = self.time.now();
        let before = self.recent_calls.earlier(fingerprint, now);
        if matches!(before, Some(Earlier::Stored { .. })) && batch.iter().all(is_fresh) {
            return Ok(batch
                .iter()
                .map(|new| Enqueued::Duplicate { first: new.id })
                .collect());
        }
        // A repeat goes where the call went before and under the same number.
        let (any, number, is_repeat) = match before {
            Some(Earlier::Unknown { partition, number }) => (partition, number, true),
            Some(Earlier::Stored { .. }) | None => {
                let number = self.next_call();
                let any = (number % u64::from(self.partitions)) as u16;
                (any, number, false)
            }
        };
        let sent = Earlier::Unknown {
            partition: any,
            number,
        };
        let parts = self.split(batch, (any, number), is_repeat);
        let mut outcomes = vec![Enqueued::Stored; batch.len()];
        for (index, part) in parts.into_iter().enumerate() {
            match self
                .enqueue_in_partition(queue, &part, batch, &settings)
                .await
            {
                Ok(done) => {
                    for (place, outcome) in part.places.iter().zip(done) {
                        outcomes[*place] = outcome;
                    }
                }
                Err(error) => {
                    let error = error.with("queue", queue).with("batch", batch.len());
                    // Parts before this one are stored.
                    let error = if index > 0 {
                        error.effect_unknown()
                    } else {
                        error
                    };
                    if error.effect() == Effect::Unknown {
                        self.note(fingerprint, sent);
                    }
                    return Err(error);
                }
            }
        }
        self.note(fingerprint, Earlier::Stored { at: now });
        Ok(outcomes)
    }

    fn note(&self, fingerprint: u64, earlier: Earlier) {
        self.recent_calls.note(fingerprint, earlier);
    }

    /// Which message goes where. Parts in different partitions share the number of the call: each
    /// partition knows by itself whether its part arrived.
    fn split(
        &self,
        batch: &[NewMessage],
        (any, number): (u16, u64),
        is_repeat: bool,
    ) -> Vec<PartitionBatch> {
        let mut parts: BTreeMap<u16, PartitionBatch> = BTreeMap::new();
        for (place, new) in batch.iter().enumerate() {
            let partition = self.partition_of(new).unwrap_or(any);
            let part = parts.entry(partition).or_insert_with(|| PartitionBatch {
                partition,
                number,
                is_repeat: is_repeat || self.repeats,
                places: Vec::new(),
            });
            part.places.push(place);
        }
        parts.into_values().collect()
    }

    /// The partition a message must go to: what is recognised must be in one place.
    pub(crate) fn partition_of(&self, new: &NewMessage) -> Option<u16> {
        if self.partitions == 1 {
            return Some(0);
        }
        let key = if let Some(group) = &new.group {
            xxh3_64(group.as_str().as_bytes())
        } else if let Some(dedup) = &new.dedup {
            xxh3_64(dedup.key.as_str().as_bytes())
        } else if new.id_origin == IdOrigin::Given {
            xxh3_64(&id_bytes(new.id))
        } else {
            return None;
        };
        Some((key % u64::from(self.partitions)) as u16)
    }
}

fn is_fresh(new: &NewMessage) -> bool {
    new.id_origin == IdOrigin::Fresh
}
