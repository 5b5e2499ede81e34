//! Rows become entries in memory.

use std::collections::BTreeSet;

use longshore_core::{GroupName, Result, Timestamp};
use uuid::Uuid;

use crate::protocol::event::{Event, Why};
use crate::protocol::projection::Projection;
use crate::protocol::storage::{Bucket, MessageRow};
use crate::shard::Shard;
use crate::shard::entry::{Address, Entry, Raw};
use crate::shard::load::page::BucketPage;
use crate::shard::write::event_batch::EventBatch;

/// What follows from rows that were taken in.
#[derive(Debug, Default)]
pub(crate) struct Ingested {
    /// To be written.
    changes: EventBatch,
    /// Groups that have new members, or one less.
    groups: BTreeSet<GroupName>,
}

/// Heads and bodies of messages that wait are kept up to this size, per shard.
const RAW_MAX: usize = 32 * 1024 * 1024;

impl Shard {
    /// Adds what was read; messages that were delivered before go before copies that were not.
    pub(crate) async fn ingest(&mut self, read: Vec<BucketPage>, now: Timestamp) -> Result<()> {
        // What fell due meanwhile has its place before what came since.
        self.index.tick(now);
        let mut all = Vec::new();
        for page in read {
            let bucket = page.bucket;
            let known = self.known_entry(bucket);
            let told = page.told(known, now);
            all.extend(
                told.into_iter()
                    .map(|(row, projection)| (bucket, row, projection)),
            );
        }
        all.sort_by_key(|(_, row, projection)| {
            (
                projection.done.is_none(),
                projection.serial == 0,
                row.sequence,
            )
        });
        let mut taken = Ingested::default();
        for (bucket, row, projection) in all {
            self.take_row(bucket, row, projection, now, &mut taken);
        }
        if self.set_frontier() {
            self.index.admit_all();
        }
        self.finish_taking(taken).await
    }

    /// Lets the groups go on, and writes what follows, once all are in.
    pub(crate) async fn finish_taking(&mut self, taken: Ingested) -> Result<()> {
        for group in &taken.groups {
            self.index.admit(group);
        }
        if taken.changes.is_empty() {
            return Ok(());
        }
        self.write(taken.changes).await
    }

    /// Adds one message that was read.
    fn take_row(
        &mut self,
        bucket: Bucket,
        row: MessageRow,
        projection: Projection,
        now: Timestamp,
        taken: &mut Ingested,
    ) {
        self.hybrid.seen(row.position.pos.max(row.sequence), now);
        let address = (bucket, row.position);
        let known = self.known_entry(bucket);
        // A closed bucket is read once, in order, with its events.
        if !known.is_final && !known.seen.insert(row.position) {
            return;
        }
        let (id, born, revision) = (row.position.id, row.sequence, row.revision);
        if let Some((why, known_until)) = projection.done {
            known.known_until = known.known_until.max(known_until);
            if !matches!(why, Why::Moved | Why::Superseded) {
                self.index.finish(id, born, known_until, now);
                self.end_copy(id, taken);
            }
            return;
        }
        let repeats = revision == 0 && projection.serial == 0 && self.index.is_repeat(id, born);
        match self.index.entries.get_mut(&id) {
            None if repeats => {
                let (why, known_until) = (Why::Superseded, Timestamp::EPOCH);
                taken
                    .changes
                    .add(address, 0, &Event::Done { why, known_until });
            }
            None => {
                let entry = self.fresh_entry(bucket, row, projection);
                self.open_position(address);
                taken.groups.extend(entry.group.clone());
                self.index.put(entry, now);
            }
            Some(other) if other.is_at(address) => {}
            // The newest row stands for all, and ends all. Only a handler that succeeded, or a
            // move that was acknowledged, marks an older one: a newer row that is merely seen
            // may lie in a bucket that a process closed and deletes without it.
            Some(other) if !other.yields_to(&row, &projection) => {
                other.copies.push(address);
                self.open_position(address);
            }
            Some(_) => {
                let mut entry = self.fresh_entry(bucket, row, projection);
                self.open_position(address);
                taken.groups.extend(entry.group.clone());
                if let Some(mut older) = self.index.take(id) {
                    self.drop_raw(&mut older);
                    taken.groups.extend(older.group);
                    entry.copies.append(&mut older.copies);
                    entry.copies.push(older.address);
                }
                self.index.put(entry, now);
            }
        }
    }

    /// Ends a copy that was read before the row that says that its message is done.
    fn end_copy(&mut self, id: Uuid, taken: &mut Ingested) {
        let copy = self.index.entries.get(&id).filter(|entry| {
            let is_untold = entry.revision == 0 && entry.serial == 0;
            is_untold && self.index.is_repeat(id, entry.born)
        });
        if copy.is_none() {
            return;
        }
        if let Some(copy) = self.index.take(id) {
            taken.changes.done(&copy, Why::Superseded, Timestamp::EPOCH);
            self.close_entry(&copy);
            taken.groups.extend(copy.group);
        }
    }

    /// Adds a message that this process stored, if all before it was read; otherwise it is read
    /// when its turn comes. Answers whether that is all there is to do.
    pub(crate) fn arrive(
        &mut self,
        bucket: Bucket,
        row: MessageRow,
        now: Timestamp,
        taken: &mut Ingested,
    ) -> bool {
        let is_new = self.known_bucket(bucket).is_none();
        if is_new && self.is_read(bucket.stream.kind) {
            return false;
        }
        let has_room = self.room(bucket, now) > 0;
        let known = self.known_entry(bucket);
        if !known.at_end || !has_room {
            known.at_end = false;
            // It may lie behind what was read.
            known.is_fresh_at(now);
            self.set_frontier();
            return true;
        }
        known.passed(row.position, now);
        let projection = Projection::begin(&row);
        self.take_row(bucket, row, projection, now, taken);
        true
    }

    fn fresh_entry(&mut self, bucket: Bucket, row: MessageRow, projection: Projection) -> Entry {
        let mut entry = Entry::of(bucket, row, projection);
        let size = entry.raw.as_ref().map_or(0, raw_size);
        if self.raw_bytes + size > RAW_MAX || entry.state.dead.is_some() {
            entry.raw = None;
        } else {
            self.raw_bytes += size;
        }
        entry
    }

    /// Keeps the head and the body of an entry that has none.
    pub(crate) fn keep_raw(&mut self, entry: &mut Entry, raw: Raw) {
        self.raw_bytes += raw_size(&raw);
        entry.raw = Some(raw);
    }

    /// Gives the room of a head and a body back.
    pub(crate) fn drop_raw(&mut self, entry: &mut Entry) {
        if let Some(raw) = entry.raw.take() {
            self.raw_bytes = self.raw_bytes.saturating_sub(raw_size(&raw));
        }
    }

    /// Notes that nothing of an entry is open any more.
    pub(crate) fn close_entry(&mut self, entry: &Entry) {
        let size = entry.raw.as_ref().map_or(0, raw_size);
        self.raw_bytes = self.raw_bytes.saturating_sub(size);
        self.close_position(entry.address);
        for copy in &entry.copies {
            self.close_position(*copy);
        }
    }

    pub(crate) fn open_position(&mut self, (bucket, position): Address) {
        let known = self.streams.entry(bucket.stream.kind).or_default();
        let bucket = known.buckets.entry(bucket.number).or_default();
        known.held += usize::from(bucket.open.insert(position));
    }

    pub(crate) fn close_position(&mut self, (bucket, position): Address) {
        if let Some(known) = self.streams.get_mut(&bucket.stream.kind)
            && let Some(bucket) = known.buckets.get_mut(&bucket.number)
        {
            known.held -= usize::from(bucket.open.remove(&position));
        }
    }
}

fn raw_size(raw: &Raw) -> usize {
    raw.0.len() + raw.1.len()
}
