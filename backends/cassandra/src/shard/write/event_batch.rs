//! Events that one step decided on, on their way to their partitions.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use longshore_core::{Result, StoreError, Timestamp};
use uuid::Uuid;

use crate::protocol::event::{Event, Why};
use crate::protocol::storage::{Bucket, EventRow, Position, ROWS_MAX, Storage};
use crate::shard::entry::{Address, Entry};

/// A mutation holds no more bytes of events than this, where it can be helped.
const BYTES_MAX: usize = 256 * 1024;

/// Events by bucket, in the order they were decided.
#[derive(Debug, Default)]
pub(crate) struct EventBatch(BTreeMap<Bucket, Vec<EventRow>>);

impl EventBatch {
    /// Adds an event about one message.
    pub(crate) fn add(&mut self, address: Address, serial: i32, event: &Event) {
        let (bucket, position) = address;
        self.0
            .entry(bucket)
            .or_default()
            .push(event.row(position, serial));
    }

    /// Adds the end of an entry and of its copies.
    pub(crate) fn done(&mut self, entry: &Entry, why: Why, known_until: Timestamp) {
        let event = Event::Done { why, known_until };
        self.add(entry.address, entry.serial, &event);
        self.copies_done(entry, known_until);
    }

    /// Adds the ends of the copies of an entry that is done.
    pub(crate) fn copies_done(&mut self, entry: &Entry, known_until: Timestamp) {
        for copy in &entry.copies {
            let why = Why::Superseded;
            self.add(*copy, 0, &Event::Done { why, known_until });
        }
    }

    /// Adds first deliveries: one row for each bucket. Answers where each is told.
    pub(crate) fn batch_delivered(
        &mut self,
        handed: Vec<(Address, u32)>,
        until: Timestamp,
    ) -> Vec<(Uuid, Position)> {
        let mut told = Vec::with_capacity(handed.len());
        let mut by_bucket: BTreeMap<Bucket, Vec<(Position, u32)>> = BTreeMap::new();
        for ((bucket, position), attempt) in handed {
            by_bucket
                .entry(bucket)
                .or_default()
                .push((position, attempt));
        }
        for (bucket, handed) in by_bucket {
            // At the first of them: a reader that goes on from a later one knows it already.
            if let Some(first) = handed.iter().map(|(position, _)| *position).min() {
                told.extend(handed.iter().map(|(position, _)| (position.id, first)));
                self.add((bucket, first), 1, &Event::BatchDelivered { handed, until });
            }
        }
        told
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes all of them; done when all are acknowledged.
    pub(crate) async fn write(self, storage: &dyn Storage) -> Result<()> {
        let mut parts = Vec::new();
        for (bucket, events) in self.0 {
            for part in cut(events) {
                parts.push(async move { storage.put_events(bucket, &part).await });
            }
        }
        if parts.len() == 1 {
            return parts.remove(0).await;
        }
        // Others may be there.
        let done = try_join_all(parts).await;
        done.map(drop).map_err(StoreError::effect_unknown)
    }
}

fn cut(events: Vec<EventRow>) -> Vec<Vec<EventRow>> {
    let mut parts: Vec<Vec<EventRow>> = Vec::new();
    let mut bytes = 0;
    for event in events {
        let size = event.detail.len() + 64;
        match parts.last_mut() {
            Some(part) if part.len() < ROWS_MAX && bytes + size <= BYTES_MAX => {
                bytes += size;
                part.push(event);
            }
            _ => {
                bytes = size;
                parts.push(vec![event]);
            }
        }
    }
    parts
}
