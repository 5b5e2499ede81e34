//! Looking behind what is in memory: pages of messages, and single ones by their ids.

use std::collections::HashSet;

use longshore_core::{Result, StoredMessage, Timestamp};
use uuid::Uuid;

use crate::protocol::storage::{Bucket, Position};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::entry::{Entry, Phase};
use crate::shard::load::page::{BucketPage, Until, Want};
use crate::shard::load::read::{self, after};

/// Messages of one page.
const PAGE: usize = 100;

/// Positions of one page.
const POSITIONS: usize = 5000;

/// A lookup reads the ids of at most so many messages of a shard that are not in memory.
pub(crate) const FIND_MAX: usize = 50_000;

/// Where a message stands that is not in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BeyondWindow {
    pub(crate) kind: i8,
    pub(crate) bucket: i64,
    pub(crate) position: Position,
}

impl Shard {
    /// What was not read of some streams: from where on in which bucket, in order.
    fn unread_of(&self, kinds: &[i8]) -> Vec<(Bucket, Position)> {
        let mut unread = Vec::new();
        for kind in kinds {
            let stream = self.stream(*kind);
            let buckets = self.streams.get(kind).into_iter();
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
    pub(crate) async fn beyond_page(
        &self,
        kinds: &[i8],
        last: Option<BeyondWindow>,
        max: usize,
        now: Timestamp,
        shows: impl Fn(&Entry) -> bool,
    ) -> Result<Vec<(BeyondWindow, StoredMessage)>> {
        let mut found = Vec::new();
        for (bucket, mut from) in self.unread_of(kinds) {
            let (kind, number) = (bucket.stream.kind, bucket.number);
            if let Some(last) = last {
                if (kind, number) < (last.kind, last.bucket) {
                    continue;
                }
                if (kind, number) == (last.kind, last.bucket) {
                    from = after(last.position);
                }
            }
            let known = self
                .streams
                .get(&kind)
                .and_then(|it| it.buckets.get(&number));
            let mut first_deliveries = known
                .map(|it| it.first_deliveries.clone())
                .unwrap_or_default();
            while found.len() < max {
                let want = Want {
                    bucket,
                    from,
                    events: true,
                    max: PAGE,
                };
                let page = want.read(&*self.storage).await?;
                let until = page.until;
                let (projections, ahead) = page.projections(&first_deliveries);
                first_deliveries.extend(ahead);
                for (row, projection) in projections {
                    let position = row.position;
                    from = after(position);
                    let held = self.index.entries.get(&position.id);
                    if projection.done.is_some()
                        || held.is_some_and(|it| it.is_at((bucket, position)))
                    {
                        continue;
                    }
                    let mut entry = Entry::of(bucket, row, projection);
                    if entry.phase == Phase::Ready && entry.state.due() > now {
                        entry.phase = Phase::Delayed;
                    }
                    let raw = entry.raw.take().unwrap_or_default();
                    if shows(&entry) {
                        let bucket = number;
                        found.push((
                            BeyondWindow {
                                kind,
                                bucket,
                                position,
                            },
                            entry.view(&raw, now),
                        ));
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
        missing.retain(|id| !self.index.entries.contains_key(id));
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
                let page = self
                    .storage
                    .positions(bucket, from, POSITIONS.min(left))
                    .await?;
                let is_last = page.len() < POSITIONS.min(left);
                left = left.saturating_sub(page.len());
                let here: Vec<_> = page
                    .iter()
                    .filter(|position| missing.contains(&position.id))
                    .collect();
                for position in here {
                    if self.fetch(bucket, *position, now).await? {
                        missing.remove(&position.id);
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
    async fn fetch(&mut self, bucket: Bucket, position: Position, now: Timestamp) -> Result<bool> {
        // What becomes of it may be in memory and not in the rows yet.
        self.known_entry(bucket).under_lock = true;
        let Some(row) = self.storage.message(bucket, position).await? else {
            return Ok(false);
        };
        let page = BucketPage {
            bucket,
            messages: vec![row],
            events: read::events_in(&*self.storage, bucket).await?,
            until: Until::Observed,
        };
        self.ingest(vec![page], now).await?;
        let entry = self.index.entries.get(&position.id);
        Ok(entry.is_some_and(|entry| entry.is_at((bucket, position))))
    }
}

/// The time that an id carries.
fn born_ms(id: Uuid) -> Option<i64> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    i64::try_from(seconds * 1000 + u64::from(nanos) / 1_000_000).ok()
}
