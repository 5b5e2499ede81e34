//! Messages that came late: behind what was read of their bucket already.

use longshore_core::{Result, Timestamp};

use crate::protocol::storage::{Bucket, Spot};
use crate::shard::Shard;
use crate::shard::buckets::progress::Rolled;
use crate::shard::load::page::{Slice, Until};
use crate::shard::load::read::{SMALL, done_among, facts_between, rolled_in};

/// Where more than so many of a page came late the whole bucket is read again.
const LATE_MAX: usize = 200;

impl Shard {
    /// Takes in those messages of a page that lie before where a bucket was read to, and were not
    /// seen. Answers whether more was read behind it.
    pub(crate) async fn take_late_page(
        &mut self,
        bucket: Bucket,
        page: &[Spot],
        now: Timestamp,
    ) -> Result<bool> {
        let Some(last) = page.last().copied() else {
            return Ok(false);
        };
        let (late, rolled) = self.late_of(bucket, page).await?;
        if late.len() > LATE_MAX {
            self.known_entry(bucket).read_again();
            return Ok(false);
        }
        self.take_single(bucket, late, rolled, now).await?;
        Ok(last < self.known_entry(bucket).next)
    }

    /// The messages of a page that were not seen, nor done before the bucket was begun; and the
    /// first deliveries of those that were told before that.
    async fn late_of(&mut self, bucket: Bucket, page: &[Spot]) -> Result<(Vec<Spot>, Rolled)> {
        let known = self.known_entry(bucket);
        let begun = known.begun;
        let read = page.iter().take_while(|spot| **spot < known.next);
        let unseen = read.filter(|spot| !known.seen.contains(*spot)).copied();
        let mut late: Vec<Spot> = unseen.collect();
        let is_before = |late: &[Spot]| late.first().copied().filter(|spot| *spot < begun);
        if let Some(first) = is_before(&late) {
            // Read after the spots: what was done meanwhile is told, too.
            let from = page.partition_point(|spot| *spot < first);
            let done = done_among(&*self.rows, bucket, &page[from..]).await?;
            late.retain(|spot| !done.contains(spot));
        }
        let mut rolled = Rolled::new();
        if is_before(&late).is_some() {
            // Few ever do: it lies where everything had been done.
            let facts = facts_between(&*self.rows, bucket, (Spot::FIRST, begun), SMALL).await?;
            rolled = rolled_in(&facts);
        }
        Ok((late, rolled))
    }

    /// Takes in single rows.
    async fn take_single(
        &mut self,
        bucket: Bucket,
        spots: Vec<Spot>,
        rolled: Rolled,
        now: Timestamp,
    ) -> Result<()> {
        let mut read = Slice {
            bucket,
            messages: Vec::new(),
            facts: Vec::new(),
            until: Until::Aside,
        };
        for spot in spots {
            // Whoever wrote it may not have finished, or its bucket was deleted.
            let Some(row) = self.rows.message(bucket, spot).await? else {
                continue;
            };
            read.messages.push(row);
            read.facts.extend(self.rows.facts_of(bucket, spot).await?);
        }
        if read.messages.is_empty() {
            return Ok(());
        }
        let known = self.known_entry(bucket);
        let rolled_before = std::mem::replace(&mut known.rolled, rolled);
        let taken = self.take_in(vec![read], now).await;
        self.known_entry(bucket).rolled = rolled_before;
        taken
    }
}
