//! The rows of one process that nobody disturbs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::Result;
use uuid::Uuid;

use crate::protocol::storage::{
    Bucket, BucketRow, FactRow, Mark, Marks, MessageRow, Ownership, Pulse, Ring, Rows, Settled,
    Spot, Stream,
};

type Facts = BTreeMap<(Spot, i32, i8), Bytes>;

/// Rows that are there at once.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    messages: BTreeMap<Bucket, BTreeMap<Spot, MessageRow>>,
    facts: BTreeMap<Bucket, Facts>,
    buckets: BTreeMap<(Stream, i64), (bool, Option<Settled>)>,
    marks: BTreeMap<Stream, Marks>,
    /// How many messages were read.
    read: usize,
    /// How many ids of messages were read alone.
    spots: usize,
    /// What another process writes before the next facts are written.
    meanwhile: Option<(Bucket, FactRow)>,
}

impl Kept {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many messages were read so far.
    pub(super) fn read(&self) -> usize {
        self.tables().read
    }

    /// Has another process write a fact just before the next ones are written.
    pub(super) fn meanwhile(&self, bucket: Bucket, fact: FactRow) {
        self.tables().meanwhile = Some((bucket, fact));
    }

    /// How many ids of messages were read alone so far.
    pub(super) fn spots_read(&self) -> usize {
        self.tables().spots
    }

    /// How many buckets hold messages.
    pub(super) fn buckets_left(&self) -> usize {
        let tables = self.tables();
        let left: BTreeSet<_> = tables.messages.keys().collect();
        left.len()
    }
}

#[async_trait]
impl Rows for Kept {
    fn cell(&self) -> i16 {
        0
    }

    async fn put_messages(&self, bucket: Bucket, rows: &[MessageRow]) -> Result<()> {
        let mut tables = self.tables();
        let messages = tables.messages.entry(bucket).or_default();
        messages.extend(rows.iter().map(|row| (row.spot, row.clone())));
        Ok(())
    }

    async fn messages(&self, bucket: Bucket, from: Spot, max: usize) -> Result<Vec<MessageRow>> {
        let mut tables = self.tables();
        let found = tables.messages.get(&bucket).into_iter();
        let found = found.flat_map(|rows| rows.range(from..)).take(max);
        let found: Vec<_> = found.map(|(_, row)| row.clone()).collect();
        tables.read += found.len();
        Ok(found)
    }

    async fn spots(&self, bucket: Bucket, from: Spot, max: usize) -> Result<Vec<Spot>> {
        let mut tables = self.tables();
        let found = tables.messages.get(&bucket).into_iter();
        let found = found.flat_map(|rows| rows.range(from..)).take(max);
        let found: Vec<_> = found.map(|(spot, _)| *spot).collect();
        tables.spots += found.len();
        Ok(found)
    }

    async fn message(&self, bucket: Bucket, spot: Spot) -> Result<Option<MessageRow>> {
        let tables = self.tables();
        let found = tables.messages.get(&bucket);
        Ok(found.and_then(|rows| rows.get(&spot)).cloned())
    }

    async fn put_facts(&self, bucket: Bucket, rows: &[FactRow]) -> Result<()> {
        let mut tables = self.tables();
        if let Some((bucket, row)) = tables.meanwhile.take() {
            let facts = tables.facts.entry(bucket).or_default();
            facts.insert((row.spot, row.serial, row.what), row.detail);
        }
        let facts = tables.facts.entry(bucket).or_default();
        for row in rows {
            facts.insert((row.spot, row.serial, row.what), row.detail.clone());
        }
        Ok(())
    }

    async fn facts(
        &self,
        bucket: Bucket,
        from: (Spot, i32, i8),
        max: usize,
    ) -> Result<Vec<FactRow>> {
        let tables = self.tables();
        let found = tables.facts.get(&bucket).into_iter();
        let found = found.flat_map(|facts| facts.range(from..)).take(max);
        Ok(found.map(fact).collect())
    }

    async fn facts_of(&self, bucket: Bucket, spot: Spot) -> Result<Vec<FactRow>> {
        let tables = self.tables();
        let found = tables.facts.get(&bucket).into_iter().flatten();
        let found = found.filter(|((of, _, _), _)| *of == spot);
        Ok(found.map(fact).collect())
    }

    async fn register(&self, bucket: Bucket) -> Result<()> {
        let mut tables = self.tables();
        let key = (bucket.stream, bucket.number);
        tables.buckets.entry(key).or_default();
        Ok(())
    }

    async fn buckets(&self, stream: Stream, from: i64) -> Result<Vec<BucketRow>> {
        let tables = self.tables();
        let found = tables.buckets.range((stream, from)..=(stream, i64::MAX));
        let rows = found.map(|(&(_, number), &(done, settled))| BucketRow {
            number,
            done,
            settled,
        });
        Ok(rows.collect())
    }

    async fn note_settled(&self, bucket: Bucket, settled: Settled) -> Result<()> {
        let key = (bucket.stream, bucket.number);
        self.tables().buckets.entry(key).or_default().1 = Some(settled);
        Ok(())
    }

    async fn set_done(&self, bucket: Bucket) -> Result<()> {
        let key = (bucket.stream, bucket.number);
        self.tables().buckets.entry(key).or_default().0 = true;
        Ok(())
    }

    async fn delete(&self, bucket: Bucket) -> Result<()> {
        let mut tables = self.tables();
        tables.messages.remove(&bucket);
        tables.facts.remove(&bucket);
        Ok(())
    }

    async fn forget_buckets(&self, stream: Stream, below: i64) -> Result<()> {
        let mut tables = self.tables();
        let keeps = |(of, number): &(Stream, i64)| *of != stream || *number >= below;
        tables.buckets.retain(|key, _| keeps(key));
        Ok(())
    }

    async fn marks(&self, stream: Stream) -> Result<Marks> {
        Ok(self
            .tables()
            .marks
            .get(&stream)
            .copied()
            .unwrap_or_default())
    }

    async fn raise(&self, stream: Stream, mark: Mark, to: i64) -> Result<()> {
        let mut tables = self.tables();
        let marks = tables.marks.entry(stream).or_default();
        match mark {
            Mark::Closed => marks.closed_to = marks.closed_to.max(to),
            Mark::Done => marks.done_to = marks.done_to.max(to),
        }
        Ok(())
    }

    async fn owner(&self, _stripe: i16) -> Result<Ownership> {
        Ok(Ownership::default())
    }

    async fn own(&self, _stripe: i16, _from: Ownership, _to: Option<Uuid>) -> Result<bool> {
        Ok(true)
    }

    async fn beat(&self, _process: Uuid, _beat: i64) -> Result<bool> {
        Ok(true)
    }

    async fn pulse(&self, _process: Uuid) -> Result<Option<Pulse>> {
        Ok(None)
    }

    async fn declare_dead(&self, _process: Uuid, _beat: i64) -> Result<bool> {
        Ok(false)
    }

    async fn ring(&self, _bell: i16, _ring: Ring) -> Result<()> {
        Ok(())
    }

    async fn rings(&self, _bell: i16) -> Result<Vec<Ring>> {
        Ok(Vec::new())
    }
}

fn fact((&(spot, serial, what), detail): (&(Spot, i32, i8), &Bytes)) -> FactRow {
    let detail = detail.clone();
    FactRow {
        spot,
        serial,
        what,
        detail,
    }
}
