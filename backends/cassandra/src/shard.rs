//! A shard of a queue in memory, made of its rows.

pub(crate) mod buckets;
pub(crate) mod completed;
pub(crate) mod entry;
pub(crate) mod index;
pub(crate) mod lease;
pub(crate) mod load;
pub(crate) mod operate;
pub(crate) mod redelivery;
pub(crate) mod settle;
pub(crate) mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Weak};

use longshore_core::{Result, Timestamp};
use uuid::Uuid;

use crate::protocol::hybrid_clock::Hybrid;
use crate::protocol::storage::{Bucket, Storage, Stream};
use crate::protocol::stream_kind;
use crate::shard::buckets::progress::{BucketProgress, StreamProgress};
use crate::shard::entry::{Entry, Raw};
use crate::shard::index::Index;
use crate::shard::load::window::Window;
use crate::shard::write::event_batch::EventBatch;
use crate::shard::write::in_flight::{InFlightWrite, InFlightWrites};

/// What a process knows of a shard: its first messages, as many as the window holds.
pub(crate) struct Shard {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) queue: Uuid,
    pub(crate) number: i32,
    pub(crate) hybrid: Arc<Hybrid>,
    pub(crate) window: Window,
    pub(crate) index: Index,
    pub(crate) streams: BTreeMap<i8, StreamProgress>,
    /// A write failed or its outcome is unknown: memory may differ from the rows.
    pub(crate) is_stale: bool,
    /// Writes that began and did not end yet.
    pub(crate) in_flight_writes: InFlightWrites,
    /// The page that is being read beside the work.
    pub(crate) ahead: Weak<()>,
    /// Grows whenever events were told that others wrote.
    pub(crate) told: u64,
    /// Lanes that were polled since the last sweep.
    pub(crate) unswept: BTreeSet<i8>,
    /// Whether the next look at a page is one for what came late.
    pub(crate) sweeps_next: bool,
    /// When all streams were looked at last.
    pub(crate) swept_at: Timestamp,
    /// When it was noted last how far the buckets are settled.
    pub(crate) noted_at: Timestamp,
    /// Since when it is wanted how many messages lie behind what is in memory.
    pub(crate) count_since: Option<Timestamp>,
    pub(crate) raw_bytes: usize,
    /// How large a message is here, about.
    pub(crate) row_bytes: usize,
}

impl Shard {
    /// A shard of which nothing is known yet.
    pub(crate) fn unread(
        storage: Arc<dyn Storage>,
        queue: Uuid,
        number: i32,
        hybrid: Arc<Hybrid>,
        window: Window,
    ) -> Self {
        Self {
            storage,
            queue,
            number,
            hybrid,
            window,
            index: Index::default(),
            streams: BTreeMap::new(),
            is_stale: false,
            in_flight_writes: InFlightWrites::default(),
            ahead: Weak::new(),
            told: 0,
            unswept: BTreeSet::new(),
            sweeps_next: false,
            swept_at: Timestamp::EPOCH,
            noted_at: Timestamp::EPOCH,
            count_since: None,
            raw_bytes: 0,
            row_bytes: 64 * 1024,
        }
    }

    /// Reads as much as the window holds.
    pub(crate) async fn begin(&mut self, now: Timestamp) -> Result<()> {
        self.swept_at = now;
        self.read_index(&stream_kind::ALL).await?;
        self.set_frontier();
        self.read_on(&stream_kind::ALL, now).await
    }

    /// Whether memory may differ from the rows.
    pub(crate) fn is_doubted(&self) -> bool {
        self.is_stale || self.in_flight_writes.in_doubt()
    }

    pub(crate) fn stream(&self, kind: i8) -> Stream {
        Stream {
            queue: self.queue,
            shard: self.number,
            kind,
        }
    }

    pub(crate) fn known_bucket(&mut self, bucket: Bucket) -> Option<&mut BucketProgress> {
        let known = self.streams.get_mut(&bucket.stream.kind)?;
        known.buckets.get_mut(&bucket.number)
    }

    /// What is known of a bucket, which is not registered as far as is known if it is new.
    pub(crate) fn known_entry(&mut self, bucket: Bucket) -> &mut BucketProgress {
        let known = self.streams.entry(bucket.stream.kind).or_default();
        known.buckets.entry(bucket.number).or_default()
    }

    /// The head and body of an entry; `None` if its row is gone.
    pub(crate) async fn raw_of(&self, entry: &Entry) -> Result<Option<Raw>> {
        if let Some(raw) = &entry.raw {
            return Ok(Some(raw.clone()));
        }
        let (bucket, position) = entry.address;
        let row = self.storage.message(bucket, position).await?;
        Ok(row.map(|row| (row.head, row.body)))
    }

    /// Begins to write events.
    pub(crate) async fn begin_write(&self, changes: EventBatch) -> InFlightWrite {
        self.in_flight_writes
            .begin_write(self.storage.clone(), changes)
            .await
    }

    /// Writes events. If that fails, memory is not believed any more.
    pub(crate) async fn write(&mut self, changes: EventBatch) -> Result<()> {
        let written = changes.write(&*self.storage).await;
        self.is_stale |= written.is_err();
        written
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shard")
            .field("queue", &self.queue)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
