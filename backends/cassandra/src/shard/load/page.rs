//! A slice of a bucket as it was read: messages, and the facts about them.

use std::collections::HashMap;

use futures_util::future::try_join;
use longshore_core::{Result, Timestamp};

use crate::protocol::event::Fact;
use crate::protocol::projection::Tale;
use crate::protocol::storage::{Bucket, FactRow, MessageRow, Rows, Spot};
use crate::shard::buckets::progress::{KnownBucket, Rolled, SWEEP, micros_before};
use crate::shard::load::read::{after, by_spot, rolled_in};

/// Facts of one page.
const FACTS: usize = 2000;

/// Where to read, and what for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    pub(crate) bucket: Bucket,
    pub(crate) from: Spot,
    /// Whether facts are read, too. Nobody but the owner delivers messages, so what comes behind
    /// the end of what it has read has none.
    pub(crate) facts: bool,
    /// So many messages.
    pub(crate) max: usize,
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) bucket: Bucket,
    pub(crate) messages: Vec<MessageRow>,
    pub(crate) facts: Vec<FactRow>,
    /// What lies behind it.
    pub(crate) until: Until,
}

/// How far a slice goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// To the end of its bucket.
    End,
    /// There may be more behind it.
    More,
    /// It is no slice but single rows among what was read before.
    Aside,
}

impl Want {
    /// Reads one slice.
    pub(crate) async fn read(self, rows: &dyn Rows) -> Result<Slice> {
        let Self { bucket, from, .. } = self;
        let first = (from, i32::MIN, i8::MIN);
        let facts = async {
            if self.facts {
                rows.facts(bucket, first, FACTS).await
            } else {
                Ok(Vec::new())
            }
        };
        let (messages, mut facts) = try_join(rows.messages(bucket, from, self.max), facts).await?;
        let is_last = messages.len() < self.max;
        let mut more = facts.len() == FACTS;
        while let Some(last) = facts.last().filter(|_| more) {
            let end = messages.last().map(|row| row.spot);
            if !is_last && Some(last.spot) > end {
                break;
            }
            let from = (last.spot, last.serial, last.what.saturating_add(1));
            let page = rows.facts(bucket, from, FACTS).await?;
            more = page.len() == FACTS;
            facts.extend(page);
        }
        Ok(Slice {
            bucket,
            messages,
            facts,
            until: if is_last { Until::End } else { Until::More },
        })
    }
}

impl Slice {
    /// Each message with what its facts add up to, and notes how far its bucket was read.
    pub(crate) fn told(self, known: &mut KnownBucket, now: Timestamp) -> Vec<(MessageRow, Tale)> {
        let until = self.until;
        let (told, ahead) = self.tales(&known.rolled);
        if until == Until::Aside {
            return told;
        }
        for (row, _) in &told {
            known.passed(row.spot, now);
        }
        known.at_end = until == Until::End;
        if known.at_end {
            known.rolled = HashMap::new();
            known.counted = None;
            known.under_lock = false;
        } else {
            if let Some(counted) = &mut known.counted {
                counted.pass(told.iter().map(|(row, _)| row.spot), known.next);
            }
            known.rolled.extend(ahead);
            known.rolled.retain(|spot, _| *spot >= known.next);
        }
        told
    }

    /// Each message with what its facts add up to, and the deliveries of others that were told
    /// beside them: a roll lies at the first of its messages, the others may lie further on.
    pub(crate) fn tales(self, known: &Rolled) -> (Vec<(MessageRow, Tale)>, Rolled) {
        let mut facts = by_spot(&self.facts);
        let mut rolled = rolled_in(&self.facts);
        let mut told = Vec::with_capacity(self.messages.len());
        for row in self.messages {
            let mut tale = Tale::begin(&row);
            let here = rolled.remove(&row.spot);
            if let Some(first) = known.get(&row.spot).copied().or(here) {
                let (attempt, until) = (first.attempt, first.until);
                tale.add(1, Fact::Delivered { attempt, until });
                tale.told_at = Some(first.told_at);
            }
            for (serial, fact) in facts.remove(&row.spot).unwrap_or_default() {
                tale.add(serial, fact);
            }
            told.push((row, tale));
        }
        (told, rolled)
    }
}

impl KnownBucket {
    /// Notes that all up to a spot was read.
    pub(crate) fn passed(&mut self, spot: Spot, now: Timestamp) {
        if !self.is_final && spot.pos >= micros_before(now, SWEEP) {
            self.is_fresh_at(now);
        }
        self.high = self.high.max(spot.pos);
        self.next = self.next.max(after(spot));
    }
}
