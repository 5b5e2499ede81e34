//! Looking behind what is in memory: pages of messages, and single ones by their ids.

use std::collections::HashSet;

use longshore_core::{Result, StoredMessage, Timestamp};
use uuid::Uuid;

use crate::protocol::storage::{Bucket, Spot};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::entry::{Entry, Phase};
use crate::shard::load::page::{Slice, Until, Want};
use crate::shard::load::read::{self, after};

/// Messages of one slice.
const SLICE: usize = 100;

/// Spots of one page.
const SPOTS: usize = 5000;

/// A lookup reads the ids of at most so many messages of a shard that are not in memory.
pub(crate) const FIND_MAX: usize = 50_000;

/// Where a message stands that is not in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Far {
    pub(crate) lane: i8,
    pub(crate) bucket: i64,
    pub(crate) spot: Spot,
}

impl Shard {
    /// What was not read of some lanes: from where on in which bucket, in order.
    fn unread_of(&self, lanes: &[i8]) -> Vec<(Bucket, Spot)> {
        let mut unread = Vec::new();
        for lane in lanes {
            let stream = self.stream(*lane);
            let buckets = self.streams.get(lane).into_iter();
            let buckets = buckets.flat_map(|known| &known.buckets);
            let buckets = buckets.filter(|(_, known)| !known.at_end);
            unread.extend(buckets.map(|(number, known)| {
                let number = *number;
                (Bucket { stream, number }, known.next)
            }));
        }
        unread
    }

    /// Messages that are not in memory and of which `shows` holds, up to `max`.
    pub(crate) async fn far_page(
        &self,
        lanes: &[i8],
        last: Option<Far>,
        max: usize,
        now: Timestamp,
        shows: impl Fn(&Entry) -> bool,
    ) -> Result<Vec<(Far, StoredMessage)>> {
        let mut found = Vec::new();
        for (bucket, mut from) in self.unread_of(lanes) {
            let (lane, number) = (bucket.stream.lane, bucket.number);
            if let Some(last) = last {
                if (lane, number) < (last.lane, last.bucket) {
                    continue;
                }
                if (lane, number) == (last.lane, last.bucket) {
                    from = after(last.spot);
                }
            }
            let known = self
                .streams
                .get(&lane)
                .and_then(|it| it.buckets.get(&number));
            let mut rolled = known.map(|it| it.rolled.clone()).unwrap_or_default();
            while found.len() < max {
                let want = Want {
                    bucket,
                    from,
                    facts: true,
                    max: SLICE,
                };
                let slice = want.read(&*self.rows).await?;
                let until = slice.until;
                let (tales, ahead) = slice.tales(&rolled);
                rolled.extend(ahead);
                for (row, tale) in tales {
                    let spot = row.spot;
                    from = after(spot);
                    let held = self.model.entries.get(&spot.id);
                    if tale.done.is_some() || held.is_some_and(|it| it.is_at((bucket, spot))) {
                        continue;
                    }
                    let mut entry = Entry::of(bucket, row, tale);
                    if entry.phase == Phase::Ready && entry.state.due() > now {
                        entry.phase = Phase::Delayed;
                    }
                    let raw = entry.raw.take().unwrap_or_default();
                    if shows(&entry) {
                        let bucket = number;
                        found.push((Far { lane, bucket, spot }, entry.view(&raw, now)));
                    }
                }
                if until == Until::End {
                    break;
                }
            }
        }
        found.truncate(max);
        Ok(found)
    }

    /// Brings messages into memory that lie behind it. Answers whether all were looked for
    /// everywhere.
    pub(crate) async fn reach(&mut self, ids: &[Uuid], now: Timestamp) -> Result<bool> {
        let mut missing: HashSet<Uuid> = ids.iter().copied().collect();
        missing.retain(|id| !self.model.entries.contains_key(id));
        let mut left = FIND_MAX;
        let mut unread = self.unread_of(&stream_kind::ALL);
        // An id that was made when the message was stored says about where it lies.
        let born = missing.iter().filter_map(|id| born_ms(*id)).min();
        if let Some(born) = born {
            unread.sort_by_key(|(bucket, _)| {
                stream_kind::begin_of(*bucket).as_millis().abs_diff(born)
            });
        }
        for (bucket, mut from) in unread {
            while !missing.is_empty() {
                if left == 0 {
                    return Ok(false);
                }
                let page = self.rows.spots(bucket, from, SPOTS.min(left)).await?;
                let is_last = page.len() < SPOTS.min(left);
                left = left.saturating_sub(page.len());
                let here: Vec<_> = page
                    .iter()
                    .filter(|spot| missing.contains(&spot.id))
                    .collect();
                for spot in here {
                    if self.fetch(bucket, *spot, now).await? {
                        missing.remove(&spot.id);
                    }
                }
                match page.last() {
                    Some(last) if !is_last => from = after(*last),
                    _ => break,
                }
            }
        }
        Ok(true)
    }

    /// Brings one message into memory. Answers whether it is there and not done.
    async fn fetch(&mut self, bucket: Bucket, spot: Spot, now: Timestamp) -> Result<bool> {
        // What becomes of it may be in memory and not in the rows yet.
        self.known_entry(bucket).under_lock = true;
        let Some(row) = self.rows.message(bucket, spot).await? else {
            return Ok(false);
        };
        let slice = Slice {
            bucket,
            messages: vec![row],
            facts: read::facts_in(&*self.rows, bucket).await?,
            until: Until::Aside,
        };
        self.take_in(vec![slice], now).await?;
        let entry = self.model.entries.get(&spot.id);
        Ok(entry.is_some_and(|entry| entry.is_at((bucket, spot))))
    }
}

/// The time that an id carries.
fn born_ms(id: Uuid) -> Option<i64> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    i64::try_from(seconds * 1000 + u64::from(nanos) / 1_000_000).ok()
}
