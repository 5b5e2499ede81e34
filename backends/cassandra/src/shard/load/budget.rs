//! How much of a shard is read, and when more is.

use std::time::Duration;

use longshore_core::Timestamp;

use crate::protocol::storage::Bucket;
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::buckets::progress::StreamProgress;

/// Delayed messages are read so long before the time of their bucket begins.
const AHEAD: Duration = Duration::from_secs(60);

impl Shard {
    /// How many more messages of a bucket fit into memory.
    pub(crate) fn room(&self, bucket: Bucket, now: Timestamp) -> usize {
        let held = |kind: i8| self.streams.get(&kind).map_or(0, |known| known.held);
        let (window, kind) = (self.window, bucket.stream.kind);
        match kind {
            stream_kind::DELAYED if is_soon(bucket, now) => window.soon.saturating_sub(held(kind)),
            stream_kind::DELAYED | stream_kind::DEAD => window.far.saturating_sub(held(kind)),
            stream_kind::HOLDING => usize::MAX,
            _ => {
                let all: usize = stream_kind::PRIORITIES.into_iter().map(held).sum();
                // Others cannot take all of it: what they hold may wait for what is read here.
                let own = (window.held / 8).saturating_sub(held(kind));
                let free = window.held.saturating_sub(all).max(own);
                let ready = window.ready.saturating_sub(self.index.ready_len(kind));
                ready.min(free)
            }
        }
    }

    /// Whether it is time to read a stream on.
    pub(crate) fn wants(&self, kind: i8, now: Timestamp) -> bool {
        let first = self
            .streams
            .get(&kind)
            .and_then(StreamProgress::first_unread);
        let Some(number) = first else { return false };
        let stream = self.stream(kind);
        let bucket = Bucket { stream, number };
        let (window, room) = (self.window, self.room(bucket, now));
        let enough = match kind {
            stream_kind::DELAYED if is_soon(bucket, now) => window.soon / 8,
            stream_kind::DELAYED | stream_kind::DEAD => window.far / 2,
            stream_kind::HOLDING => 1,
            // Few are ready: then as many are read as fit.
            _ if self.index.ready_len(kind) <= window.ready / 2 => 1,
            _ => return false,
        };
        room >= enough.max(1)
    }

    /// Whether more could be handed out if it was read.
    pub(crate) fn has_more(&self, now: Timestamp) -> bool {
        stream_kind::ALL
            .into_iter()
            .any(|kind| self.wants(kind, now))
    }

    /// Whether all buckets of a stream that are known were read to their ends.
    pub(crate) fn is_read(&self, kind: i8) -> bool {
        let known = self.streams.get(&kind);
        known.is_none_or(|known| known.first_unread().is_none())
    }

    /// Whether all live messages are in memory.
    pub(crate) fn has_read_live(&self) -> bool {
        let dead = [stream_kind::DEAD, stream_kind::HOLDING];
        let mut live = stream_kind::ALL
            .into_iter()
            .filter(|kind| !dead.contains(kind));
        live.all(|kind| self.is_read(kind))
    }

    /// Whether all of the shard is in memory.
    pub(crate) fn is_whole(&self) -> bool {
        stream_kind::ALL.into_iter().all(|kind| self.is_read(kind))
    }

    /// Tells the index up to what time everything was read: no member of a group is admitted
    /// before an older one may turn up, nor before all that hold their groups for long are known.
    /// Answers whether that time moved on.
    pub(crate) fn set_frontier(&mut self) -> bool {
        let unread = stream_kind::PRIORITIES.into_iter();
        let unread = unread.filter_map(|kind| self.unread_from_ms(kind));
        let frontier = if self.is_read(stream_kind::HOLDING) {
            unread.min().unwrap_or(i64::MAX)
        } else {
            i64::MIN
        };
        let before = std::mem::replace(&mut self.index.frontier_ms, frontier);
        frontier > before
    }

    /// The time from which on a stream was not read; `None` if all of it was.
    fn unread_from_ms(&self, kind: i8) -> Option<i64> {
        let known = self.streams.get(&kind)?;
        let number = known.first_unread()?;
        let begin = number.saturating_mul(stream_kind::width_ms(kind));
        let next = known.buckets.get(&number)?.next.pos / 1000;
        Some(begin.max(next))
    }

    /// Whether so many of a stream are ready that come before all that was not read.
    pub(crate) fn has_enough(&self, kind: i8, count: usize) -> bool {
        let last = self.index.nth_ready(kind, count);
        last.is_some_and(|place| {
            self.unread_from_ms(kind)
                .is_none_or(|from| place.at_ms < from)
        })
    }

    /// When the clock changes something that a receiver waits for.
    pub(crate) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let stream = self.stream(stream_kind::DELAYED);
        let delayed = self.streams.get(&stream_kind::DELAYED);
        let unread = delayed.and_then(StreamProgress::first_unread);
        let soon = unread.and_then(|number| {
            let bucket = Bucket { stream, number };
            let begin = stream_kind::begin_of(bucket).as_millis() - AHEAD.as_millis() as i64;
            (!is_soon(bucket, now)).then(|| Timestamp::from_millis(begin))
        });
        [soon, self.index.next_change()].into_iter().flatten().min()
    }
}

/// Whether the messages of a delayed bucket may fall due soon.
fn is_soon(bucket: Bucket, now: Timestamp) -> bool {
    stream_kind::begin_of(bucket) <= now.plus(AHEAD)
}
