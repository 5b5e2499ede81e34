//! Partitions that no owner would ever look at: rows in buckets that are deleted, or that are not
//! on the index.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::Result;
use scylla::statement::Consistency;
use scylla::statement::unprepared::Statement;
use uuid::Uuid;

use crate::check::census::Counted;
use crate::cql::session::Link;
use crate::protocol::event::Event;
use crate::protocol::storage::{Bucket, Storage, Stream};
use crate::shard::load::read::{by_position, events_in, positions_in};

/// What was found of stray partitions.
#[derive(Debug, Default)]
pub(crate) struct Strays {
    /// Buckets that are settled and still have rows: their deletion was broken off.
    pub(crate) leftover: Vec<Bucket>,
    /// Rows of messages that are not done in buckets that are: nobody reads them.
    pub(crate) late: u64,
    /// Buckets with messages that are not on the index.
    pub(crate) unlisted: Vec<Bucket>,
}

type Columns = (Uuid, i16, i32, i8, i64);

/// The buckets of a queue that have a partition in a table. Reads the keys of the whole table.
pub(crate) async fn partitions(
    link: &Link,
    table: &str,
    queue: Uuid,
    cell: i16,
) -> Result<BTreeSet<Bucket>> {
    let ks = &link.keyspace;
    let mut ask = Statement::new(format!(
        "SELECT DISTINCT queue, cell, shard, kind, bucket FROM {ks}.{table}"
    ));
    ask.set_consistency(Consistency::LocalQuorum);
    ask.set_is_idempotent(true);
    let prepared = link.driver.prepare(ask).await;
    let prepared = prepared.map_err(crate::error::unprepared)?;
    let make = |(of, at, shard, kind, number): Columns| {
        let stream = Stream { queue, shard, kind };
        (of == queue && at == cell).then_some(Bucket { stream, number })
    };
    let found = link.all("fsck", &prepared, (), make).await?;
    Ok(found.into_iter().flatten().collect())
}

impl Strays {
    /// Looks at partitions whose messages were counted by shard.
    pub(crate) async fn find(
        storage: &dyn Storage,
        messages: &BTreeSet<Bucket>,
        events: &BTreeSet<Bucket>,
        counted: &BTreeMap<i32, Counted>,
    ) -> Result<Self> {
        let mut strays = Self::default();
        let streams: BTreeSet<_> = messages.union(events).map(|bucket| bucket.stream).collect();
        for stream in streams {
            // Read after the partitions: whatever was registered before them is here.
            let marks = storage.marks(stream).await?;
            let index = storage.buckets(stream, i64::MIN).await?;
            let index: BTreeMap<i64, bool> = index
                .into_iter()
                .map(|row| (row.number, row.done))
                .collect();
            let here = messages.union(events);
            for bucket in here.filter(|bucket| bucket.stream == stream) {
                let is_done = index.get(&bucket.number).copied();
                if bucket.number < marks.done_to || is_done == Some(true) {
                    let live = counted.get(&stream.shard);
                    strays.look_at_completed(storage, *bucket, live).await?;
                } else if is_done.is_none() && messages.contains(bucket) {
                    strays.unlisted.push(*bucket);
                }
            }
        }
        Ok(strays)
    }

    /// A settled bucket is deleted again if each message in it is done, or lives elsewhere.
    async fn look_at_completed(
        &mut self,
        storage: &dyn Storage,
        bucket: Bucket,
        counted: Option<&Counted>,
    ) -> Result<()> {
        let events = by_position(&events_in(storage, bucket).await?);
        let is_done = |position| {
            let told = events.get(position).map_or(&[][..], Vec::as_slice);
            let mut told = told.iter();
            told.any(|(_, event)| matches!(event, Event::Done { .. }))
        };
        let lives = |id| counted.is_some_and(|counted| counted.live.contains_key(id));
        let positions = positions_in(storage, bucket).await?;
        let late = positions
            .iter()
            .filter(|position| !is_done(position) && !lives(&position.id));
        match late.count() {
            0 => self.leftover.push(bucket),
            late => self.late += late as u64,
        }
        Ok(())
    }

    /// Deletes what is left of settled buckets, and lists those that are not on the index: their
    /// owner finds them there. Answers how many were mended.
    pub(crate) async fn mend(&self, storage: &dyn Storage) -> Result<u64> {
        for bucket in &self.leftover {
            storage.delete(*bucket).await?;
        }
        for bucket in &self.unlisted {
            storage.register(*bucket).await?;
        }
        Ok((self.leftover.len() + self.unlisted.len()) as u64)
    }
}
