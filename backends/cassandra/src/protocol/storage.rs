//! The rows that the protocol of this store reads and writes, and the one way to them.
//!
//! Everything the steps of the protocol do to Cassandra goes through [`Storage`]: typed operations
//! of known consistency, no CQL. The driver implements it; so does a simulated set of replicas in
//! the tests, which delays, loses and repeats writes.
//!
//! Three kinds of data keep three disciplines:
//!
//! - *events* (messages, bucket registrations, events about messages) are only inserted, by anyone,
//!   at local quorum; writing the same row again changes nothing;
//! - *marks* (`closed_to`, `done_to`) grow, by lightweight transactions alone;
//! - *ownership* of stripes is advisory: it saves work and keeps order, never safety.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::{Result, Timestamp};
use uuid::Uuid;

/// One stream of a queue in this cell: its messages of one shard and one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Stream {
    /// The incarnation of the queue: new each time its name is created.
    pub(crate) queue: Uuid,
    /// Which shard of it.
    pub(crate) shard: i32,
    /// Which kind: see [`stream_kind`](crate::protocol::stream_kind).
    pub(crate) kind: i8,
}

/// One partition of messages and the partition of events beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Bucket {
    /// The stream.
    pub(crate) stream: Stream,
    /// Which span of time: its start divided by the width of the buckets of its kind.
    pub(crate) number: i64,
}

/// Where a message lies in its bucket. Rows are read back in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The producer's hybrid clock in µs at the enqueue or move.
    pub(crate) pos: i64,
    /// The id of the message.
    pub(crate) id: Uuid,
}

impl Position {
    /// Before all positions of a bucket.
    pub(crate) const FIRST: Self = Self {
        pos: i64::MIN,
        id: Uuid::nil(),
    };

    /// Behind all positions of a bucket.
    pub(crate) const LAST: Self = Self {
        pos: i64::MAX,
        id: Uuid::max(),
    };
}

/// A row of a message. It is inserted once and never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageRow {
    /// Where it lies.
    pub(crate) position: Position,
    /// 0 at first, one more each time the message moved to another row.
    pub(crate) revision: i16,
    /// The lane it is handed out from, as a number.
    pub(crate) lane: i8,
    /// Its group.
    pub(crate) group: Option<String>,
    /// When it was due at first, in UTC ms.
    pub(crate) due_ms: i64,
    /// The producer's hybrid clock at the enqueue, in µs: the order among equal due times.
    pub(crate) sequence: i64,
    /// The stored head.
    pub(crate) head: Bytes,
    /// The stored body.
    pub(crate) body: Bytes,
    /// What happened before it came to this row; empty if nothing did.
    pub(crate) start: Bytes,
}

/// A row of an event about a message. Events of one message are read in this order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EventRow {
    /// The message, or the first one of several.
    pub(crate) position: Position,
    /// Counts the deliveries and changes of the message, from 1: the fence of receipts.
    pub(crate) serial: i32,
    /// What kind of event, see [`event`](crate::protocol::event).
    pub(crate) what: i8,
    /// The encoded event.
    pub(crate) detail: Bytes,
}

/// What is known of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BucketRow {
    /// Which bucket of the stream.
    pub(crate) number: i64,
    /// Whether everything in it is settled and it was, or is being, deleted.
    pub(crate) done: bool,
    /// How far it is known to be settled.
    pub(crate) watermark: Option<Watermark>,
}

/// How far a bucket is settled: a new owner of its stripe need not read what lies before.
///
/// It is true forever, no matter which process says it and how late, since what is done stays done.
/// Only what its writer had not seen may lie there and not be done: a message that came late.
/// Unless the bucket was `scanned`, the scan after its close finds that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watermark {
    /// All messages before this position that were seen are done.
    pub(crate) to: Position,
    /// Whether they were seen after the close of the bucket was confirmed: all that were
    /// acknowledged.
    pub(crate) scanned: bool,
    /// How many messages lie behind it, if they were counted.
    pub(crate) counted: Option<Counted>,
}

/// How many messages lie in a part of a bucket. It is not true forever, and nothing relies on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// From this position on.
    pub(crate) from: Position,
    /// Up to before this one; [`Position::LAST`] where nothing can come behind it.
    pub(crate) to: Position,
    /// The count.
    pub(crate) count: u64,
    /// When the end of the bucket was last reached; the epoch if it never was.
    pub(crate) at: Timestamp,
}

/// The watermarks of a stream. Both only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Buckets below are closed: no message that is acknowledged from now on lies in them.
    pub(crate) closed_to: i64,
    /// Buckets below are settled and deleted.
    pub(crate) done_to: i64,
}

/// Which watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// [`Marks::closed_to`].
    Closed,
    /// [`Marks::done_to`].
    Done,
}

/// Who dispatches the messages of a stripe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ownership {
    /// The process, if there is one.
    pub(crate) owner: Option<Uuid>,
    /// One more with each change; 0 if the stripe never had an owner.
    pub(crate) epoch: i64,
}

/// A sign of life of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heartbeat {
    /// How many beats there were. It is compared with itself only, never with a clock.
    pub(crate) beat: i64,
    /// Whether it was declared dead.
    pub(crate) dead: bool,
}

/// A hint that something of a shard changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    /// The queue.
    pub(crate) queue: Uuid,
    /// The shard of it.
    pub(crate) shard: i32,
    /// The kind of the stream.
    pub(crate) kind: i8,
    /// What changed.
    pub(crate) what: NotificationKind,
    /// Where it changed last.
    pub(crate) bucket: i64,
    /// New with each ring.
    pub(crate) token: Uuid,
}

/// What a ring is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum NotificationKind {
    /// Messages were stored.
    Messages,
    /// Events were written by another process than the owner.
    Events,
    /// Another process asks for the stripe.
    Wanted,
}

/// What the protocol asks of Cassandra, within one cell.
///
/// A call is answered when it is done at its consistency: local quorum for rows, local serial
/// with a commit at local quorum for marks and ownership. An error says whether the call
/// certainly had no effect. No call repeats a lightweight transaction on its own; one of unknown
/// outcome is an error of unknown effect, resolved by the caller with a serial read.
///
/// A page that is shorter than asked for is the last one. A read that fails is an error, never a
/// shorter page.
#[async_trait]
pub(crate) trait Storage: fmt::Debug + Send + Sync + 'static {
    /// The cell whose rows these are.
    fn cell(&self) -> i16;

    /// Inserts messages of one bucket: one mutation, whole or not at all. At most
    /// [`ROWS_MAX`] of them.
    async fn put_messages(&self, bucket: Bucket, rows: &[MessageRow]) -> Result<()>;

    /// Reads messages with `from <= position`, in order, at most `max`.
    async fn messages(&self, bucket: Bucket, from: Position, max: usize)
    -> Result<Vec<MessageRow>>;

    /// Reads the positions alone of messages with `from <= position`, in order, at most `max`.
    async fn positions(&self, bucket: Bucket, from: Position, max: usize) -> Result<Vec<Position>>;

    /// Reads one message.
    async fn message(&self, bucket: Bucket, position: Position) -> Result<Option<MessageRow>>;

    /// Inserts events of one bucket: one mutation. At most [`ROWS_MAX`] of them.
    async fn put_events(&self, bucket: Bucket, rows: &[EventRow]) -> Result<()>;

    /// Reads events with `from <= (position, serial, what)`, in order, at most `max`.
    async fn events(
        &self,
        bucket: Bucket,
        from: (Position, i32, i8),
        max: usize,
    ) -> Result<Vec<EventRow>>;

    /// Reads all events that lie at one position.
    async fn events_of(&self, bucket: Bucket, position: Position) -> Result<Vec<EventRow>>;

    /// Says that a bucket has messages.
    async fn register(&self, bucket: Bucket) -> Result<()>;

    /// Reads which buckets from `from` on are registered, in order. All of them.
    async fn buckets(&self, stream: Stream, from: i64) -> Result<Vec<BucketRow>>;

    /// Says how far a bucket is settled: it saves work, and nothing relies on it.
    async fn note_watermark(&self, bucket: Bucket, watermark: Watermark) -> Result<()>;

    /// Says that a bucket is settled and may be deleted.
    async fn set_done(&self, bucket: Bucket) -> Result<()>;

    /// Deletes the messages and the events of a bucket, both partitions whole.
    async fn delete(&self, bucket: Bucket) -> Result<()>;

    /// Deletes the registrations below a bucket.
    async fn forget_buckets(&self, stream: Stream, below: i64) -> Result<()>;

    /// Reads the watermarks at local quorum.
    async fn marks(&self, stream: Stream) -> Result<Marks>;

    /// Raises a watermark to `to` unless it is there already: a lightweight transaction. The
    /// process that relies on it reads it afterwards with [`Storage::marks`].
    async fn raise(&self, stream: Stream, mark: Mark, to: i64) -> Result<()>;

    /// Reads who owned a stripe lately, at local quorum: it may miss a transaction in flight.
    async fn seen_owner(&self, stripe: i16) -> Result<Ownership> {
        self.owner(stripe).await
    }

    /// Reads who owns a stripe; serially, so that a transaction in flight is finished first.
    async fn owner(&self, stripe: i16) -> Result<Ownership>;

    /// Changes the ownership of a stripe from `from` to (`to`, `from.epoch + 1`) by a lightweight
    /// transaction. Answers whether it was applied.
    async fn own(&self, stripe: i16, from: Ownership, to: Option<Uuid>) -> Result<bool>;

    /// Gives a sign of life of a process. Answers `false` once it was declared dead.
    async fn beat(&self, process: Uuid, beat: i64) -> Result<bool>;

    /// Reads the sign of life of a process; `None` if it never gave one.
    async fn heartbeat(&self, process: Uuid) -> Result<Option<Heartbeat>>;

    /// Declares a process dead, if its heartbeat still is at `beat`. Answers whether it is dead
    /// now.
    async fn declare_dead(&self, process: Uuid, beat: i64) -> Result<bool>;

    /// Rings a doorbell of the cell for a shard: a hint for the owner of its stripe, never relied
    /// upon. Only the last one of each stream and kind of notification is kept.
    async fn ring(&self, doorbell: i16, ring: Notification) -> Result<()>;

    /// Reads the notifications of a doorbell.
    async fn notifications(&self, doorbell: i16) -> Result<Vec<Notification>>;
}

/// The most rows of one mutation.
pub(crate) const ROWS_MAX: usize = 1000;
