//! The rows of one process that nobody disturbs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::Result;
use uuid::Uuid;

use crate::protocol::storage::{
    Bucket, BucketRow, EventRow, Heartbeat, Mark, Marks, MessageRow, Notification, Ownership,
    Position, Storage, Stream, Watermark,
};

type Events = BTreeMap<(Position, i32, i8), Bytes>;

/// Rows that are there at once.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    messages: BTreeMap<Bucket, BTreeMap<Position, MessageRow>>,
    events: BTreeMap<Bucket, Events>,
    buckets: BTreeMap<(Stream, i64), (bool, Option<Watermark>)>,
    marks: BTreeMap<Stream, Marks>,
    /// How many messages were read.
    read: usize,
    /// How many ids of messages were read alone.
    positions: usize,
    /// What another process writes before the next events are written.
    meanwhile: Option<(Bucket, EventRow)>,
}

impl Kept {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many messages were read so far.
    pub(super) fn read(&self) -> usize {
        self.tables().read
    }

    /// Has another process write an event just before the next ones are written.
    pub(super) fn meanwhile(&self, bucket: Bucket, event: EventRow) {
        self.tables().meanwhile = Some((bucket, event));
    }

    /// How many ids of messages were read alone so far.
    pub(super) fn positions_read(&self) -> usize {
        self.tables().positions
    }

    /// How many buckets hold messages.
    pub(super) fn buckets_left(&self) -> usize {
        let tables = self.tables();
        let left: BTreeSet<_> = tables.messages.keys().collect();
        left.len()
    }
}

#[async_trait]
impl Storage for Kept {
    fn cell(&self) -> i16 {
        0
    }

    async fn put_messages(&self, bucket: Bucket, rows: &[MessageRow]) -> Result<()> {
        let mut tables = self.tables();
        let messages = tables.messages.entry(bucket).or_default();
        messages.extend(rows.iter().map(|row| (row.position, row.clone())));
        Ok(())
    }

    async fn messages(
        &self,
        bucket: Bucket,
        from: Position,
        max: usize,
    ) -> Result<Vec<MessageRow>> {
        let mut tables = self.tables();
        let found = tables.messages.get(&bucket).into_iter();
        let found = found.flat_map(|rows| rows.range(from..)).take(max);
        let found: Vec<_> = found.map(|(_, row)| row.clone()).collect();
        tables.read += found.len();
        Ok(found)
    }

    async fn positions(&self, bucket: Bucket, from: Position, max: usize) -> Result<Vec<Position>> {
        let mut tables = self.tables();
        let found = tables.messages.get(&bucket).into_iter();
        let found = found.flat_map(|rows| rows.range(from..)).take(max);
        let found: Vec<_> = found.map(|(position, _)| *position).collect();
        tables.positions += found.len();
        Ok(found)
    }

    async fn message(&self, bucket: Bucket, position: Position) -> Result<Option<MessageRow>> {
        let tables = self.tables();
        let found = tables.messages.get(&bucket);
        Ok(found.and_then(|rows| rows.get(&position)).cloned())
    }

    async fn put_events(&self, bucket: Bucket, rows: &[EventRow]) -> Result<()> {
        let mut tables = self.tables();
        if let Some((bucket, row)) = tables.meanwhile.take() {
            let events = tables.events.entry(bucket).or_default();
            events.insert((row.position, row.serial, row.what), row.detail);
        }
        let events = tables.events.entry(bucket).or_default();
        for row in rows {
            events.insert((row.position, row.serial, row.what), row.detail.clone());
        }
        Ok(())
    }

    async fn events(
        &self,
        bucket: Bucket,
        from: (Position, i32, i8),
        max: usize,
    ) -> Result<Vec<EventRow>> {
        let tables = self.tables();
        let found = tables.events.get(&bucket).into_iter();
        let found = found.flat_map(|events| events.range(from..)).take(max);
        Ok(found.map(event).collect())
    }

    async fn events_of(&self, bucket: Bucket, position: Position) -> Result<Vec<EventRow>> {
        let tables = self.tables();
        let found = tables.events.get(&bucket).into_iter().flatten();
        let found = found.filter(|((of, _, _), _)| *of == position);
        Ok(found.map(event).collect())
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
        let rows = found.map(|(&(_, number), &(done, watermark))| BucketRow {
            number,
            done,
            watermark,
        });
        Ok(rows.collect())
    }

    async fn note_watermark(&self, bucket: Bucket, watermark: Watermark) -> Result<()> {
        let key = (bucket.stream, bucket.number);
        self.tables().buckets.entry(key).or_default().1 = Some(watermark);
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
        tables.events.remove(&bucket);
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

    async fn heartbeat(&self, _process: Uuid) -> Result<Option<Heartbeat>> {
        Ok(None)
    }

    async fn declare_dead(&self, _process: Uuid, _beat: i64) -> Result<bool> {
        Ok(false)
    }

    async fn ring(&self, _doorbell: i16, _ring: Notification) -> Result<()> {
        Ok(())
    }

    async fn notifications(&self, _doorbell: i16) -> Result<Vec<Notification>> {
        Ok(Vec::new())
    }
}

fn event((&(position, serial, what), detail): (&(Position, i32, i8), &Bytes)) -> EventRow {
    let detail = detail.clone();
    EventRow {
        position,
        serial,
        what,
        detail,
    }
}
