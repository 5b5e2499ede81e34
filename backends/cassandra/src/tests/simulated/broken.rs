//! Protocols with a step left out. Each loses messages, and the test has to notice.
//!
//! A step is left out by what its reads are told, so the code under test stays as it is shipped.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use longshore_core::Result;
use tokio::time::sleep;
use uuid::Uuid;

use super::rows::Simulated;
use crate::protocol::storage::{
    Bucket, BucketRow, EventRow, Heartbeat, Mark, Marks, MessageRow, Notification, Ownership,
    Position, Storage, Stream, Watermark,
};

/// Which step is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A producer does not look whether its bucket was closed meanwhile.
    NoCheckAfterWrite,
    /// An owner reads only what comes after the last message that it has seen.
    CursorOverIds,
    /// The same with a cursor that is held back for a while.
    CursorHeldBack,
    /// An owner takes for final what it read before it closed the bucket.
    ScanBeforeClose,
    /// An owner deletes a bucket that it closed without reading it again.
    DeleteUnverified,
    /// A process that others took for dead goes on as if nobody had.
    Undying,
    /// A process takes others for dead that give signs of life.
    DeafToBeats,
    /// A process that takes a stripe over does not read what was handed out.
    ForgetLeases,
}

/// How far a cursor is held back, in µs: longer than most writes take.
const HELD_BACK_US: i64 = 500_000;

/// The rows as a process sees them that leaves out a step.
#[derive(Debug)]
pub(super) struct Broken {
    storage: Simulated,
    fault: Fault,
    /// The rows of each bucket that were read so far.
    seen: Mutex<BTreeMap<Bucket, BTreeMap<Position, MessageRow>>>,
    /// What was there before a close.
    before_close: Mutex<BTreeMap<Bucket, Vec<MessageRow>>>,
    index_before_close: Mutex<BTreeMap<Stream, (i64, Vec<BucketRow>)>>,
}

impl Broken {
    pub(super) fn new(rows: Simulated, fault: Fault) -> Self {
        Self {
            storage: rows,
            fault,
            seen: Mutex::default(),
            before_close: Mutex::default(),
            index_before_close: Mutex::default(),
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Behind which position of a bucket nothing is read any more: the greatest one that was read
    /// so far, or one some time before.
    fn cursor(&self, bucket: Bucket) -> Option<Position> {
        let seen = locked(&self.seen);
        let last = seen.get(&bucket)?.keys().last().copied()?;
        match self.fault {
            Fault::CursorOverIds => Some(last),
            Fault::CursorHeldBack => Some(Position {
                pos: last.pos - HELD_BACK_US,
                ..last
            }),
            _ => None,
        }
    }

    /// From now on a closed bucket has what was polled of it.
    fn believe_polls(&self, stream: Stream, to: i64) {
        let seen = locked(&self.seen);
        let closed = seen.iter().filter(|(bucket, _)| bucket.stream == stream);
        let mut believed = locked(&self.before_close);
        for (bucket, rows) in closed.filter(|(bucket, _)| bucket.number < to) {
            let rows = || rows.values().cloned().collect();
            believed.entry(*bucket).or_insert_with(rows);
        }
    }

    async fn remember_before_close(&self, stream: Stream, to: i64) -> Result<()> {
        let index = self.storage.buckets(stream, i64::MIN).await?;
        for row in index.iter().filter(|row| row.number < to) {
            let bucket = Bucket {
                stream,
                number: row.number,
            };
            let all = self
                .storage
                .messages(bucket, Position::FIRST, usize::MAX)
                .await?;
            locked(&self.before_close).entry(bucket).or_insert(all);
        }
        locked(&self.index_before_close).insert(stream, (to, index));
        // Time goes by between the scan and the close.
        sleep(self.storage.0.some_time(2000)).await;
        Ok(())
    }

    /// The messages of a bucket before it was closed, once it is.
    fn cached(&self, bucket: Bucket, from: Position, max: usize) -> Option<Vec<MessageRow>> {
        let cache = locked(&self.before_close);
        let rows = cache.get(&bucket)?.iter();
        Some(
            rows.filter(|row| row.position >= from)
                .take(max)
                .cloned()
                .collect(),
        )
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Storage for Broken {
    fn cell(&self) -> i16 {
        0
    }

    async fn messages(
        &self,
        bucket: Bucket,
        from: Position,
        max: usize,
    ) -> Result<Vec<MessageRow>> {
        if let Some(rows) = self.cached(bucket, from, max) {
            return Ok(rows);
        }
        let mut rows = self.storage.messages(bucket, from, max).await?;
        let cursor = self.cursor(bucket);
        rows.retain(|row| Some(row.position) > cursor);
        let mut seen = locked(&self.seen);
        let seen = seen.entry(bucket).or_default();
        seen.extend(rows.iter().map(|row| (row.position, row.clone())));
        Ok(rows)
    }

    async fn positions(&self, bucket: Bucket, from: Position, max: usize) -> Result<Vec<Position>> {
        if let Some(rows) = self.cached(bucket, from, max) {
            return Ok(rows.into_iter().map(|row| row.position).collect());
        }
        let mut positions = self.storage.positions(bucket, from, max).await?;
        let cursor = self.cursor(bucket);
        positions.retain(|position| Some(*position) > cursor);
        Ok(positions)
    }

    async fn buckets(&self, stream: Stream, from: i64) -> Result<Vec<BucketRow>> {
        let mut now = self.storage.buckets(stream, from).await?;
        if let Some((to, index)) = locked(&self.index_before_close).get(&stream) {
            let was_there = |number: i64| index.iter().any(|row| row.number == number);
            now.retain(|row| row.number >= *to || was_there(row.number));
        }
        Ok(now)
    }

    async fn marks(&self, stream: Stream) -> Result<Marks> {
        if self.is(Fault::NoCheckAfterWrite) {
            return Ok(Marks::default());
        }
        self.storage.marks(stream).await
    }

    async fn raise(&self, stream: Stream, mark: Mark, to: i64) -> Result<()> {
        if self.is(Fault::ScanBeforeClose) && mark == Mark::Closed {
            self.remember_before_close(stream, to).await?;
        }
        if self.is(Fault::DeleteUnverified) && mark == Mark::Closed {
            self.believe_polls(stream, to);
        }
        self.storage.raise(stream, mark, to).await
    }

    async fn put_messages(&self, bucket: Bucket, rows: &[MessageRow]) -> Result<()> {
        self.storage.put_messages(bucket, rows).await
    }

    async fn message(&self, bucket: Bucket, position: Position) -> Result<Option<MessageRow>> {
        self.storage.message(bucket, position).await
    }

    async fn put_events(&self, bucket: Bucket, rows: &[EventRow]) -> Result<()> {
        self.storage.put_events(bucket, rows).await
    }

    async fn events(
        &self,
        bucket: Bucket,
        from: (Position, i32, i8),
        max: usize,
    ) -> Result<Vec<EventRow>> {
        if self.is(Fault::ForgetLeases) {
            // A page that is not full is the last one.
            let events = self.storage.events(bucket, from, usize::MAX).await?;
            let is_delivery = |row: &EventRow| row.what <= 1;
            let others = events.into_iter().filter(|row| !is_delivery(row));
            return Ok(others.take(max).collect());
        }
        self.storage.events(bucket, from, max).await
    }

    async fn events_of(&self, bucket: Bucket, position: Position) -> Result<Vec<EventRow>> {
        self.storage.events_of(bucket, position).await
    }

    async fn register(&self, bucket: Bucket) -> Result<()> {
        self.storage.register(bucket).await
    }

    async fn note_watermark(&self, bucket: Bucket, watermark: Watermark) -> Result<()> {
        self.storage.note_watermark(bucket, watermark).await
    }

    async fn set_done(&self, bucket: Bucket) -> Result<()> {
        self.storage.set_done(bucket).await
    }

    async fn delete(&self, bucket: Bucket) -> Result<()> {
        self.storage.delete(bucket).await
    }

    async fn forget_buckets(&self, stream: Stream, below: i64) -> Result<()> {
        self.storage.forget_buckets(stream, below).await
    }

    async fn owner(&self, stripe: i16) -> Result<Ownership> {
        self.storage.owner(stripe).await
    }

    async fn seen_owner(&self, stripe: i16) -> Result<Ownership> {
        self.storage.seen_owner(stripe).await
    }

    async fn own(&self, stripe: i16, from: Ownership, to: Option<Uuid>) -> Result<bool> {
        self.storage.own(stripe, from, to).await
    }

    async fn beat(&self, process: Uuid, beat: i64) -> Result<bool> {
        let lives = self.storage.beat(process, beat).await?;
        Ok(lives || self.is(Fault::Undying))
    }

    async fn heartbeat(&self, process: Uuid) -> Result<Option<Heartbeat>> {
        let heartbeat = self.storage.heartbeat(process).await?;
        let dead = self.is(Fault::DeafToBeats);
        Ok(heartbeat.map(|heartbeat| Heartbeat {
            dead: dead || heartbeat.dead,
            ..heartbeat
        }))
    }

    async fn declare_dead(&self, process: Uuid, beat: i64) -> Result<bool> {
        self.storage.declare_dead(process, beat).await
    }

    async fn ring(&self, stripe: i16, ring: Notification) -> Result<()> {
        self.storage.ring(stripe, ring).await
    }

    async fn notifications(&self, stripe: i16) -> Result<Vec<Notification>> {
        self.storage.notifications(stripe).await
    }
}
