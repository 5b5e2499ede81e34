//! A page of a bucket as it was read: messages, and the events about them.

use std::collections::HashMap;

use futures_util::future::try_join;
use longshore_core::{Result, Timestamp};

use crate::protocol::event::Event;
use crate::protocol::projection::Projection;
use crate::protocol::storage::{Bucket, EventRow, MessageRow, Position, Storage};
use crate::shard::buckets::progress::{BucketProgress, FirstDeliveries, SWEEP, micros_before};
use crate::shard::load::read::{after, by_position, first_deliveries_in};

/// Events of one page.
const EVENTS: usize = 2000;

/// Where to read, and what for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    pub(crate) bucket: Bucket,
    pub(crate) from: Position,
    /// Whether events are read, too. Nobody but the owner delivers messages, so what comes behind
    /// the end of what it has read has none.
    pub(crate) events: bool,
    /// How many messages.
    pub(crate) max: usize,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct BucketPage {
    pub(crate) bucket: Bucket,
    pub(crate) messages: Vec<MessageRow>,
    pub(crate) events: Vec<EventRow>,
    /// What lies behind it.
    pub(crate) until: Until,
}

/// How far a page goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// To the end of its bucket.
    End,
    /// There may be more behind it.
    More,
    /// It is no page but single rows among what was read before.
    Observed,
}

impl Want {
    /// Reads one page.
    pub(crate) async fn read(self, storage: &dyn Storage) -> Result<BucketPage> {
        let Self { bucket, from, .. } = self;
        let first = (from, i32::MIN, i8::MIN);
        let events = async {
            if self.events {
                storage.events(bucket, first, EVENTS).await
            } else {
                Ok(Vec::new())
            }
        };
        let (messages, mut events) =
            try_join(storage.messages(bucket, from, self.max), events).await?;
        let is_last = messages.len() < self.max;
        let mut more = events.len() == EVENTS;
        while let Some(last) = events.last().filter(|_| more) {
            let end = messages.last().map(|row| row.position);
            if !is_last && Some(last.position) > end {
                break;
            }
            let from = (last.position, last.serial, last.what.saturating_add(1));
            let page = storage.events(bucket, from, EVENTS).await?;
            more = page.len() == EVENTS;
            events.extend(page);
        }
        Ok(BucketPage {
            bucket,
            messages,
            events,
            until: if is_last { Until::End } else { Until::More },
        })
    }
}

impl BucketPage {
    /// Each message with what its events add up to, and notes how far its bucket was read.
    pub(crate) fn told(
        self,
        known: &mut BucketProgress,
        now: Timestamp,
    ) -> Vec<(MessageRow, Projection)> {
        let until = self.until;
        let (told, ahead) = self.projections(&known.first_deliveries);
        if until == Until::Observed {
            return told;
        }
        for (row, _) in &told {
            known.passed(row.position, now);
        }
        known.at_end = until == Until::End;
        if known.at_end {
            known.first_deliveries = HashMap::new();
            known.counted = None;
            known.under_lock = false;
        } else {
            if let Some(counted) = &mut known.counted {
                counted.pass(told.iter().map(|(row, _)| row.position), known.next);
            }
            known.first_deliveries.extend(ahead);
            known
                .first_deliveries
                .retain(|position, _| *position >= known.next);
        }
        told
    }

    /// Each message with what its events add up to, and the deliveries of others that were told
    /// beside them: a batch delivery lies at the first of its messages, the others may lie further
    /// on.
    pub(crate) fn projections(
        self,
        known: &FirstDeliveries,
    ) -> (Vec<(MessageRow, Projection)>, FirstDeliveries) {
        let mut events = by_position(&self.events);
        let mut first_deliveries = first_deliveries_in(&self.events);
        let mut told = Vec::with_capacity(self.messages.len());
        for row in self.messages {
            let mut projection = Projection::begin(&row);
            let here = first_deliveries.remove(&row.position);
            if let Some(first) = known.get(&row.position).copied().or(here) {
                let (attempt, until) = (first.attempt, first.until);
                projection.add(1, Event::Delivered { attempt, until });
                projection.event_position = Some(first.event_position);
            }
            for (serial, event) in events.remove(&row.position).unwrap_or_default() {
                projection.add(serial, event);
            }
            told.push((row, projection));
        }
        (told, first_deliveries)
    }
}

impl BucketProgress {
    /// Notes that all up to a position was read.
    pub(crate) fn passed(&mut self, position: Position, now: Timestamp) {
        if !self.is_final && position.pos >= micros_before(now, SWEEP) {
            self.is_fresh_at(now);
        }
        self.high = self.high.max(position.pos);
        self.next = self.next.max(after(position));
    }
}
