//! Counting the messages of a shard by their state, from its rows alone.
//!
//! Nobody is stopped for it. Events are read before messages, so that a message whose end was
//! written in between still has its row.

use std::collections::HashMap;

use longshore_core::{Result, Timestamp, wire};
use uuid::Uuid;

use crate::protocol::event::Event;
use crate::protocol::projection::Projection;
use crate::protocol::snapshot::Snapshot;
use crate::protocol::storage::{Bucket, MessageRow, Position, Storage, Stream};
use crate::protocol::stream_kind;
use crate::shard::load::read::{by_position, events_in, messages_after};

/// Maximum messages of a shard remembered by id, to find those that lie in two rows.
const REMEMBERED_MAX: usize = 1_000_000;

/// Positions without a row that are named.
const LOST_MAX: usize = 100;

/// Where a message that is not done stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Waiting,
    Delayed,
    Leased,
    Dead,
}

/// What was counted in a shard.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// Messages that are not done by their id, each as its newest row says.
    pub(crate) live: HashMap<Uuid, (i16, Standing)>,
    /// Rows that are not done beside the newest one of their message.
    pub(crate) copies: u64,
    /// Rows that are done, in buckets that were not deleted yet.
    pub(crate) settled: u64,
    /// Rows whose stored form is damaged, and of a newer version.
    pub(crate) damaged: u64,
    pub(crate) newer: u64,
    /// Events and histories that cannot be read.
    pub(crate) unreadable: u64,
    /// Deliveries of messages that have no row and are not done.
    pub(crate) lost: Vec<(Bucket, Position)>,
    /// Streams whose marks contradict each other.
    pub(crate) crossed: u64,
    /// Whether there are more messages than were remembered.
    pub(crate) is_cut: bool,
}

impl Counted {
    /// Counts a shard.
    pub(crate) async fn count(
        &mut self,
        storage: &dyn Storage,
        queue: Uuid,
        shard: i32,
        now: Timestamp,
    ) -> Result<()> {
        for kind in stream_kind::ALL {
            let stream = Stream { queue, shard, kind };
            let marks = storage.marks(stream).await?;
            self.crossed += u64::from(marks.done_to > marks.closed_to);
            let index = storage.buckets(stream, marks.done_to).await?;
            for row in index.into_iter().filter(|row| !row.done) {
                let number = row.number;
                self.count_bucket(storage, Bucket { stream, number }, now)
                    .await?;
            }
        }
        Ok(())
    }

    async fn count_bucket(
        &mut self,
        storage: &dyn Storage,
        bucket: Bucket,
        now: Timestamp,
    ) -> Result<()> {
        let events = events_in(storage, bucket).await?;
        let unreadable = events.iter().filter(|row| Event::of(row).is_none()).count();
        let mut events = by_position(&events);
        let mut from = Position::FIRST;
        while let Some((page, next)) = messages_after(storage, bucket, from).await? {
            for row in page {
                let told = events.remove(&row.position).unwrap_or_default();
                self.count_row(&row, told, now);
            }
            let Some(next) = next else { break };
            from = next;
        }
        let is_done = |told: &[(i32, Event)]| {
            let mut told = told.iter();
            told.any(|(_, event)| matches!(event, Event::Done { .. }))
        };
        let left = events.into_iter().filter(|(_, told)| !is_done(told));
        let mut lost = Vec::new();
        for (position, _) in left.take(LOST_MAX) {
            if is_lost(storage, bucket, position).await? {
                lost.push((bucket, position));
            }
        }
        if (!lost.is_empty() || unreadable > 0) && is_gone(storage, bucket).await? {
            // It was deleted meanwhile, and with it all that seemed wrong.
            return Ok(());
        }
        self.unreadable += unreadable as u64;
        self.lost.extend(lost);
        Ok(())
    }

    fn count_row(&mut self, row: &MessageRow, told: Vec<(i32, Event)>, now: Timestamp) {
        let mut projection = Projection::begin(row);
        for (serial, event) in told {
            projection.add(serial, event);
        }
        if projection.done.is_some() {
            self.settled += 1;
            return;
        }
        self.judge_form(row);
        let standing = standing(&projection, now);
        if self.live.len() >= REMEMBERED_MAX && !self.live.contains_key(&row.position.id) {
            self.is_cut = true;
            return;
        }
        let newest = (row.revision, standing);
        if let Some(known) = self.live.get_mut(&row.position.id) {
            self.copies += 1;
            if known.0 < row.revision {
                *known = newest;
            }
            return;
        }
        self.live.insert(row.position.id, newest);
    }

    fn judge_form(&mut self, row: &MessageRow) {
        match wire::decode(&row.head, row.body.clone()) {
            Ok(_) => {}
            Err(wire::DecodeError::Damaged(_)) => self.damaged += 1,
            Err(_newer) => self.newer += 1,
        }
        if !row.start.is_empty() && Snapshot::from_bytes(&row.start).is_none() {
            self.unreadable += 1;
        }
    }

    /// How many messages stand so.
    pub(crate) fn number_of(&self, standing: Standing) -> u64 {
        let all = self.live.values();
        all.filter(|(_, found)| *found == standing).count() as u64
    }
}

fn standing(projection: &Projection, now: Timestamp) -> Standing {
    if projection.state.dead.is_some() {
        Standing::Dead
    } else if projection.leased.is_some_and(|until| until > now) {
        Standing::Leased
    } else if projection.leased.is_none() && projection.state.due() > now {
        Standing::Delayed
    } else {
        Standing::Waiting
    }
}

/// Whether a message that was delivered has no row, at a second look.
async fn is_lost(storage: &dyn Storage, bucket: Bucket, position: Position) -> Result<bool> {
    if storage.message(bucket, position).await?.is_some() {
        return Ok(false);
    }
    let told = storage.events_of(bucket, position).await?;
    let mut told = told.iter().filter_map(Event::of);
    Ok(!told.any(|event| matches!(event, Event::Done { .. })))
}

/// Whether a bucket was settled since its rows were read.
async fn is_gone(storage: &dyn Storage, bucket: Bucket) -> Result<bool> {
    let marks = storage.marks(bucket.stream).await?;
    let index = storage.buckets(bucket.stream, bucket.number).await?;
    let known = index.iter().find(|row| row.number == bucket.number);
    Ok(marks.done_to > bucket.number || known.is_some_and(|row| row.done))
}
