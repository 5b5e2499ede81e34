//! How many messages lie behind what is in memory: counted in part, and estimated.

use longshore_core::Result;

use crate::rows::lane;
use crate::rows::{Bucket, Spot};
use crate::shard::Shard;
use crate::shard::reading::after;

/// So many buckets are counted for one estimate.
const SAMPLE: usize = 3;

/// Spots of one page.
const SPOTS: usize = 5000;

/// So many pages of a bucket are counted; one that has more is taken to have as many.
const PAGES: usize = 10;

/// Messages that are not in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) waiting: u64,
    pub(crate) delayed: u64,
    pub(crate) dead: u64,
}

impl Shard {
    /// Estimates what lies behind. Some more buckets are counted each time, so that it gets better.
    pub(crate) async fn behind(&mut self) -> Result<Behind> {
        let mut behind = Behind::default();
        for lane in lane::ALL {
            if self.is_read(lane) {
                continue;
            }
            let count = self.count_lane(lane).await?;
            match lane {
                lane::DELAYED => behind.delayed += count,
                lane::DEAD | lane::HOLDING => behind.dead += count,
                _ => behind.waiting += count,
            }
        }
        Ok(behind)
    }

    async fn count_lane(&mut self, lane: i8) -> Result<u64> {
        let stream = self.stream(lane);
        let unread = self.streams.get(&lane).into_iter();
        let unread = unread.flat_map(|known| &known.buckets);
        let unread: Vec<_> = unread
            .filter(|(_, known)| !known.at_end)
            .map(|(number, known)| (*number, known.next, known.left))
            .collect();
        let uncounted: Vec<_> = unread
            .iter()
            .filter(|(_, _, left)| left.is_none())
            .collect();
        let step = uncounted.len().div_ceil(SAMPLE).max(1);
        let (mut counted, mut buckets) = (0, 0);
        for (number, next, _) in uncounted.iter().step_by(step) {
            let bucket = Bucket {
                stream,
                number: *number,
            };
            let left = self.count_bucket(bucket, *next).await?;
            if let Some(known) = self.known_bucket(bucket) {
                // One that is open goes on growing.
                known.left = known.is_final.then_some(left);
            }
            counted += left;
            buckets += 1;
        }
        let known = unread.iter().filter_map(|(_, _, left)| *left);
        let (sum, number) = known.fold((0, 0), |(sum, number), left| (sum + left, number + 1));
        let mean = (sum + counted)
            .checked_div(number + buckets)
            .unwrap_or_default();
        let others = (uncounted.len() as u64).saturating_sub(buckets);
        Ok(sum + counted + mean * others)
    }

    async fn count_bucket(&self, bucket: Bucket, mut from: Spot) -> Result<u64> {
        let mut count = 0;
        for _ in 0..PAGES {
            let page = self.rows.spots(bucket, from, SPOTS).await?;
            count += page.len() as u64;
            match page.last() {
                Some(last) if page.len() == SPOTS => from = after(*last),
                _ => break,
            }
        }
        Ok(count)
    }
}
