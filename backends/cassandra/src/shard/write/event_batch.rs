//! Facts that one step decided on, on their way to their partitions.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use longshore_core::{Result, StoreError, Timestamp};
use uuid::Uuid;

use crate::protocol::event::{Fact, Why};
use crate::protocol::storage::{Bucket, FactRow, ROWS_MAX, Rows, Spot};
use crate::shard::entry::{Address, Entry};

/// A mutation holds no more bytes of facts than this, where it can be helped.
const BYTES_MAX: usize = 256 * 1024;

/// Facts by bucket, in the order they were decided.
#[derive(Debug, Default)]
pub(crate) struct Changes(BTreeMap<Bucket, Vec<FactRow>>);

impl Changes {
    /// Adds a fact about one message.
    pub(crate) fn add(&mut self, address: Address, serial: i32, fact: &Fact) {
        let (bucket, spot) = address;
        self.0
            .entry(bucket)
            .or_default()
            .push(fact.row(spot, serial));
    }

    /// Adds the end of an entry and of its copies.
    pub(crate) fn done(&mut self, entry: &Entry, why: Why, known_until: Timestamp) {
        let fact = Fact::Done { why, known_until };
        self.add(entry.address, entry.serial, &fact);
        self.copies_done(entry, known_until);
    }

    /// Adds the ends of the copies of an entry that is done.
    pub(crate) fn copies_done(&mut self, entry: &Entry, known_until: Timestamp) {
        for copy in &entry.copies {
            let why = Why::Copy;
            self.add(*copy, 0, &Fact::Done { why, known_until });
        }
    }

    /// Adds first deliveries: one row for each bucket. Answers where each is told.
    pub(crate) fn roll(
        &mut self,
        handed: Vec<(Address, u32)>,
        until: Timestamp,
    ) -> Vec<(Uuid, Spot)> {
        let mut told = Vec::with_capacity(handed.len());
        let mut by_bucket: BTreeMap<Bucket, Vec<(Spot, u32)>> = BTreeMap::new();
        for ((bucket, spot), attempt) in handed {
            by_bucket.entry(bucket).or_default().push((spot, attempt));
        }
        for (bucket, handed) in by_bucket {
            // At the first of them: whoever reads on from a later one knows it already.
            if let Some(first) = handed.iter().map(|(spot, _)| *spot).min() {
                told.extend(handed.iter().map(|(spot, _)| (spot.id, first)));
                self.add((bucket, first), 1, &Fact::Roll { handed, until });
            }
        }
        told
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes all of them; done when all are acknowledged.
    pub(crate) async fn write(self, rows: &dyn Rows) -> Result<()> {
        let mut parts = Vec::new();
        for (bucket, facts) in self.0 {
            for part in cut(facts) {
                parts.push(async move { rows.put_facts(bucket, &part).await });
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

fn cut(facts: Vec<FactRow>) -> Vec<Vec<FactRow>> {
    let mut parts: Vec<Vec<FactRow>> = Vec::new();
    let mut bytes = 0;
    for fact in facts {
        let size = fact.detail.len() + 64;
        match parts.last_mut() {
            Some(part) if part.len() < ROWS_MAX && bytes + size <= BYTES_MAX => {
                bytes += size;
                part.push(fact);
            }
            _ => {
                bytes = size;
                parts.push(vec![fact]);
            }
        }
    }
    parts
}
