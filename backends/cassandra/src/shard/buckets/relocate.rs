//! Moving the last messages of an old bucket on, so that it can be deleted: dead letters, long
//! delays and held groups do not keep the rows of all their neighbours.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{Result, Timestamp};
use uuid::Uuid;

use crate::producer::append::{Producer, cut};
use crate::protocol::event::Why;
use crate::protocol::storage::{Bucket, MessageRow, Position, Stream};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::buckets::progress::BucketProgress;
use crate::shard::entry::{Entry, Phase};
use crate::shard::write::event_batch::EventBatch;

/// A bucket is left alone for so long after its time was over.
const AFTER: Duration = Duration::from_secs(600);

/// A bucket with more messages than this is not worth moving.
const LEFT_MAX: usize = 100;

/// Messages that are moved at a time where they leave no room for others.
const CROWDED_MAX: usize = 2000;

impl Shard {
    /// Moves what is left in old buckets to rows of today. A message is inserted again, one
    /// revision on, and only when that is acknowledged its old row is marked: the process that sees
    /// both believes the newer.
    pub(crate) async fn relocate(&mut self, producer: &Producer, now: Timestamp) -> Result<()> {
        let done = self.try_relocate(producer, now).await;
        self.is_stale |= done.is_err();
        done
    }

    async fn try_relocate(&mut self, producer: &Producer, now: Timestamp) -> Result<()> {
        let (crowded, crowded_later) = (self.is_crowded(), self.is_crowded_later());
        let mut left = Vec::new();
        for kind in stream_kind::PRIORITIES
            .into_iter()
            .chain([stream_kind::DELAYED])
        {
            let stream = self.stream(kind);
            let Some(known) = self.streams.get(&kind) else {
                continue;
            };
            let is_old = |number: i64, bucket: &BucketProgress| {
                let end = stream_kind::end_of(Bucket { stream, number });
                bucket.at_end && bucket.open.len() <= LEFT_MAX && end.plus(AFTER) <= now
            };
            let old = known.buckets.iter();
            let all = if kind == stream_kind::DELAYED {
                crowded_later
            } else {
                crowded
            };
            let old = old.filter(|(number, bucket)| all || is_old(**number, bucket));
            let positions = old.flat_map(|(_, bucket)| &bucket.open);
            let positions = positions.filter(|position| self.may_move(position.id, now));
            left.extend(positions.map(|position| position.id));
        }
        let crowded = crowded || crowded_later;
        // A part at a time: this is housekeeping beside the work.
        left.truncate(if crowded { CROWDED_MAX } else { LEFT_MAX });
        if left.is_empty() {
            return Ok(());
        }
        self.move_on(&left, producer, now).await?;
        // Where they went to, there may be others.
        let homes = [
            stream_kind::DELAYED,
            stream_kind::DEAD,
            stream_kind::HOLDING,
        ];
        self.read_on(&homes, now).await
    }

    /// Whether messages that nobody will take for long leave no room for others.
    fn is_crowded(&self) -> bool {
        let held =
            stream_kind::PRIORITIES.map(|kind| self.streams.get(&kind).map_or(0, |it| it.held));
        let ready = stream_kind::PRIORITIES.map(|kind| self.index.ready_len(kind));
        let stuck = held.iter().sum::<usize>();
        stuck.saturating_sub(ready.iter().sum()) > self.window.held / 8
    }

    /// The same among delayed messages: half of the room for those that fall due is taken by dead
    /// ones and the like.
    fn is_crowded_later(&self) -> bool {
        let known = self.streams.get(&stream_kind::DELAYED);
        known.is_some_and(|known| known.held > self.window.soon / 2)
    }

    /// Whether a message will keep its row for long, and has another place: it is dead, or due much
    /// later. A delivery's receipt names the row, so what is leased stays.
    fn may_move(&self, id: Uuid, now: Timestamp) -> bool {
        self.index.entries.get(&id).is_some_and(|entry| {
            let is_later = entry.phase == Phase::Delayed && entry.state.due() > now.plus(AFTER);
            let (stream, at) = self.home_of(entry, now);
            let is_home = entry.address.0 == stream_kind::bucket_at(stream, at);
            (entry.phase == Phase::Dead || is_later) && !is_home
        })
    }

    /// Moves messages to where they belong now: they are inserted again as they are in memory, and
    /// only when that is acknowledged their old rows are marked. The process that sees both
    /// believes the newer.
    pub(crate) async fn move_on(
        &mut self,
        ids: &[Uuid],
        producer: &Producer,
        now: Timestamp,
    ) -> Result<()> {
        let mut parts: BTreeMap<(Stream, i64), Vec<MessageRow>> = BTreeMap::new();
        for id in ids {
            let Some(entry) = self.index.entries.get(id) else {
                continue;
            };
            let Some((head, body)) = self.raw_of(entry).await? else {
                continue;
            };
            let (stream, at) = self.home_of(entry, now);
            let pos = self.free_pos(entry, now);
            let row = MessageRow {
                position: Position { pos, id: *id },
                revision: entry.revision.saturating_add(1),
                lane: stream_kind::of(entry.lane),
                group: entry.group.as_ref().map(|it| it.as_str().to_owned()),
                due_ms: entry.state.due_ms,
                sequence: entry.born,
                head,
                body,
                start: Bytes::from(entry.state.to_bytes()),
            };
            let begin = at.as_millis() / stream_kind::width_ms(stream.kind)
                * stream_kind::width_ms(stream.kind);
            parts.entry((stream, begin)).or_default().push(row);
        }
        for ((stream, begin), rows) in parts {
            for part in cut(&rows) {
                self.move_part(stream, begin, part, producer, now).await?;
            }
        }
        Ok(())
    }

    /// A position where none of the rows of a message lies, no matter which process wrote them:
    /// what ends one of them would end the new one.
    fn free_pos(&self, entry: &Entry, now: Timestamp) -> i64 {
        loop {
            let pos = self.hybrid.next(now);
            if !entry.has_row_at(pos) {
                return pos;
            }
        }
    }

    async fn move_part(
        &mut self,
        stream: Stream,
        begin: i64,
        rows: &[MessageRow],
        producer: &Producer,
        now: Timestamp,
    ) -> Result<()> {
        let at = Timestamp::from_millis(begin);
        let bucket = producer.store(stream, at, rows).await?;
        let mut changes = EventBatch::default();
        for row in rows {
            let position = row.position;
            let Some(mut entry) = self.index.take(position.id) else {
                continue;
            };
            changes.done(&entry, Why::Moved, Timestamp::EPOCH);
            self.close_entry(&entry);
            if self.room(bucket, now) == 0 {
                // It is read when its time comes, or it is asked for.
                self.known_entry(bucket).at_end = false;
                self.set_frontier();
                continue;
            }
            entry.raw = None;
            entry.address = (bucket, position);
            entry.events_from = position;
            entry.copies.clear();
            entry.revision = row.revision;
            entry.serial = 0;
            self.known_entry(bucket).seen.insert(position);
            self.open_position((bucket, position));
            self.index.replace(entry, now);
        }
        self.write(changes).await
    }

    /// The stream that a message belongs to today, and the time whose bucket it goes to.
    fn home_of(&self, entry: &Entry, now: Timestamp) -> (Stream, Timestamp) {
        let (kind, at) = stream_kind::home_of(&entry.state, entry.lane, now);
        (self.stream(kind), at)
    }
}
