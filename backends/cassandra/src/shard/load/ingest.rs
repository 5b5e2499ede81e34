//! Rows become entries in memory.

use std::collections::BTreeSet;

use longshore_core::{GroupName, Result, Timestamp};
use uuid::Uuid;

use crate::protocol::event::{Fact, Why};
use crate::protocol::projection::Tale;
use crate::protocol::storage::{Bucket, MessageRow};
use crate::shard::Shard;
use crate::shard::entry::{Address, Entry, Raw};
use crate::shard::load::page::Slice;
use crate::shard::write::event_batch::Changes;

/// What follows from rows that were taken in.
#[derive(Debug, Default)]
pub(crate) struct TakenIn {
    /// To be written.
    changes: Changes,
    /// Groups that have new members, or one less.
    groups: BTreeSet<GroupName>,
}

/// Heads and bodies of messages that wait are kept up to this size, per shard.
const RAW_MAX: usize = 32 * 1024 * 1024;

impl Shard {
    /// Adds what was read; messages that were delivered before go before copies that were not.
    pub(crate) async fn take_in(&mut self, read: Vec<Slice>, now: Timestamp) -> Result<()> {
        // What fell due meanwhile has its place before what came since.
        self.model.tick(now);
        let mut all = Vec::new();
        for slice in read {
            let bucket = slice.bucket;
            let known = self.known_entry(bucket);
            let told = slice.told(known, now);
            all.extend(told.into_iter().map(|(row, tale)| (bucket, row, tale)));
        }
        all.sort_by_key(|(_, row, tale)| (tale.done.is_none(), tale.serial == 0, row.sequence));
        let mut taken = TakenIn::default();
        for (bucket, row, tale) in all {
            self.take_row(bucket, row, tale, now, &mut taken);
        }
        if self.set_frontier() {
            self.model.admit_all();
        }
        self.finish_taking(taken).await
    }

    /// Lets the groups go on, and writes what follows, once all are in.
    pub(crate) async fn finish_taking(&mut self, taken: TakenIn) -> Result<()> {
        for group in &taken.groups {
            self.model.admit(group);
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
        tale: Tale,
        now: Timestamp,
        taken: &mut TakenIn,
    ) {
        self.hybrid.seen(row.spot.pos.max(row.sequence), now);
        let address = (bucket, row.spot);
        let known = self.known_entry(bucket);
        // A closed bucket is read once, in order, with its facts.
        if !known.is_final && !known.seen.insert(row.spot) {
            return;
        }
        let (id, born, generation) = (row.spot.id, row.sequence, row.generation);
        if let Some((why, known_until)) = tale.done {
            known.known_until = known.known_until.max(known_until);
            if !matches!(why, Why::Moved | Why::Copy) {
                self.model.finish(id, born, known_until, now);
                self.end_copy(id, taken);
            }
            return;
        }
        let repeats = generation == 0 && tale.serial == 0 && self.model.is_repeat(id, born);
        match self.model.entries.get_mut(&id) {
            None if repeats => {
                let (why, known_until) = (Why::Copy, Timestamp::EPOCH);
                taken
                    .changes
                    .add(address, 0, &Fact::Done { why, known_until });
            }
            None => {
                let entry = self.fresh_entry(bucket, row, tale);
                self.open_spot(address);
                taken.groups.extend(entry.group.clone());
                self.model.put(entry, now);
            }
            Some(other) if other.is_at(address) => {}
            // The newest row stands for all, and ends all. Only a handler that succeeded, or a
            // move that was acknowledged, marks an older one: a newer row that is merely seen
            // may lie in a bucket that somebody closed and deletes without it.
            Some(other) if !other.yields_to(&row, &tale) => {
                other.copies.push(address);
                self.open_spot(address);
            }
            Some(_) => {
                let mut entry = self.fresh_entry(bucket, row, tale);
                self.open_spot(address);
                taken.groups.extend(entry.group.clone());
                if let Some(mut older) = self.model.take(id) {
                    self.drop_raw(&mut older);
                    taken.groups.extend(older.group);
                    entry.copies.append(&mut older.copies);
                    entry.copies.push(older.address);
                }
                self.model.put(entry, now);
            }
        }
    }

    /// Ends a copy that was read before the row that says that its message is done.
    fn end_copy(&mut self, id: Uuid, taken: &mut TakenIn) {
        let copy = self.model.entries.get(&id).filter(|entry| {
            let is_untold = entry.generation == 0 && entry.serial == 0;
            is_untold && self.model.is_repeat(id, entry.born)
        });
        if copy.is_none() {
            return;
        }
        if let Some(copy) = self.model.take(id) {
            taken.changes.done(&copy, Why::Copy, Timestamp::EPOCH);
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
        taken: &mut TakenIn,
    ) -> bool {
        let is_new = self.known_bucket(bucket).is_none();
        if is_new && self.is_read(bucket.stream.lane) {
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
        known.passed(row.spot, now);
        let tale = Tale::begin(&row);
        self.take_row(bucket, row, tale, now, taken);
        true
    }

    fn fresh_entry(&mut self, bucket: Bucket, row: MessageRow, tale: Tale) -> Entry {
        let mut entry = Entry::of(bucket, row, tale);
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
        self.close_spot(entry.address);
        for copy in &entry.copies {
            self.close_spot(*copy);
        }
    }

    pub(crate) fn open_spot(&mut self, (bucket, spot): Address) {
        let known = self.streams.entry(bucket.stream.lane).or_default();
        let bucket = known.buckets.entry(bucket.number).or_default();
        known.held += usize::from(bucket.open.insert(spot));
    }

    pub(crate) fn close_spot(&mut self, (bucket, spot): Address) {
        if let Some(known) = self.streams.get_mut(&bucket.stream.lane)
            && let Some(bucket) = known.buckets.get_mut(&bucket.number)
        {
            known.held -= usize::from(bucket.open.remove(&spot));
        }
    }
}

fn raw_size(raw: &Raw) -> usize {
    raw.0.len() + raw.1.len()
}
