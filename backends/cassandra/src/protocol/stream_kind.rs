//! The kinds of streams that a shard has, and how wide their buckets are.

use longshore_core::{Lane, Timestamp};

use crate::protocol::snapshot::Snapshot;
use crate::protocol::storage::{Bucket, Stream};

/// Messages that are not due at their enqueue: the bucket is that of the due time.
pub(crate) const DELAYED: i8 = 3;

/// Dead letters: the bucket is the day of the death.
pub(crate) const DEAD: i8 = 4;

/// Messages that hold their group for long, dead or in back-off, by the day they came here: the
/// process that hands messages out knows them all.
pub(crate) const HOLDING: i8 = 5;

/// The kinds of messages that are due at their enqueue, one for each priority.
pub(crate) const PRIORITIES: [i8; 3] = [0, 1, 2];

/// All kinds.
pub(crate) const ALL: [i8; 6] = [0, 1, 2, DELAYED, DEAD, HOLDING];

/// The kind of messages of a lane that are due at once.
pub(crate) fn of(lane: Lane) -> i8 {
    lane.number().cast_signed()
}

/// How many ms a bucket of a kind spans.
pub(crate) fn width_ms(kind: i8) -> i64 {
    match kind {
        DELAYED => 10 * 60 * 1000,
        DEAD | HOLDING => 24 * 3600 * 1000,
        _ => 60 * 1000,
    }
}

/// The kind of stream that a message of a priority belongs to as it is now, and the time whose
/// bucket it goes to there.
pub(crate) fn home_of(state: &Snapshot, lane: Lane, now: Timestamp) -> (i8, Timestamp) {
    match &state.dead {
        Some(death) if death.parks => (HOLDING, now),
        Some(death) => (DEAD, death.at),
        None if state.heads => (HOLDING, now),
        None if state.due() <= now => (of(lane), now),
        None => (DELAYED, state.due()),
    }
}

/// The bucket of a stream that a time lies in.
pub(crate) fn bucket_at(stream: Stream, at: Timestamp) -> Bucket {
    Bucket {
        stream,
        number: at.as_millis() / width_ms(stream.kind),
    }
}

/// The first ms of a bucket.
pub(crate) fn begin_of(bucket: Bucket) -> Timestamp {
    let width = width_ms(bucket.stream.kind);
    Timestamp::from_millis(bucket.number.saturating_mul(width))
}

/// The first ms after a bucket.
pub(crate) fn end_of(bucket: Bucket) -> Timestamp {
    let next = bucket.number.saturating_add(1);
    Timestamp::from_millis(next.saturating_mul(width_ms(bucket.stream.kind)))
}
