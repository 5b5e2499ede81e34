//! Messages that came late: behind what was read of their bucket already.

use longshore_core::{Result, Timestamp};

use crate::protocol::storage::{Bucket, Position};
use crate::shard::Shard;
use crate::shard::buckets::progress::FirstDeliveries;
use crate::shard::load::page::{BucketPage, Until};
use crate::shard::load::read::{SMALL, done_among, events_between, first_deliveries_in};

/// Where more than so many of a page came late the whole bucket is read again.
const LATE_MAX: usize = 200;

impl Shard {
    /// Takes in those messages of a page that lie before where a bucket was read to, and were not
    /// seen. Answers whether more was read behind it.
    pub(crate) async fn take_late_page(
        &mut self,
        bucket: Bucket,
        page: &[Position],
        now: Timestamp,
    ) -> Result<bool> {
        let Some(last) = page.last().copied() else {
            return Ok(false);
        };
        let (late, first_deliveries) = self.late_of(bucket, page).await?;
        if late.len() > LATE_MAX {
            self.known_entry(bucket).read_again();
            return Ok(false);
        }
        self.take_single(bucket, late, first_deliveries, now)
            .await?;
        Ok(last < self.known_entry(bucket).next)
    }

    /// The messages of a page that were not seen, nor done before the bucket was begun; and the
    /// first deliveries of those that were told before that.
    async fn late_of(
        &mut self,
        bucket: Bucket,
        page: &[Position],
    ) -> Result<(Vec<Position>, FirstDeliveries)> {
        let known = self.known_entry(bucket);
        let begun = known.begun;
        let read = page.iter().take_while(|position| **position < known.next);
        let unseen = read
            .filter(|position| !known.seen.contains(*position))
            .copied();
        let mut late: Vec<Position> = unseen.collect();
        let is_before =
            |late: &[Position]| late.first().copied().filter(|position| *position < begun);
        if let Some(first) = is_before(&late) {
            // Read after the positions: what was done meanwhile is told, too.
            let from = page.partition_point(|position| *position < first);
            let done = done_among(&*self.storage, bucket, &page[from..]).await?;
            late.retain(|position| !done.contains(position));
        }
        let mut first_deliveries = FirstDeliveries::new();
        if is_before(&late).is_some() {
            // Few ever do: it lies where everything had been done.
            let events =
                events_between(&*self.storage, bucket, (Position::FIRST, begun), SMALL).await?;
            first_deliveries = first_deliveries_in(&events);
        }
        Ok((late, first_deliveries))
    }

    /// Takes in single rows.
    async fn take_single(
        &mut self,
        bucket: Bucket,
        positions: Vec<Position>,
        first_deliveries: FirstDeliveries,
        now: Timestamp,
    ) -> Result<()> {
        let mut read = BucketPage {
            bucket,
            messages: Vec::new(),
            events: Vec::new(),
            until: Until::Observed,
        };
        for position in positions {
            // The process that wrote it may not have finished, or its bucket was deleted.
            let Some(row) = self.storage.message(bucket, position).await? else {
                continue;
            };
            read.messages.push(row);
            read.events
                .extend(self.storage.events_of(bucket, position).await?);
        }
        if read.messages.is_empty() {
            return Ok(());
        }
        let known = self.known_entry(bucket);
        let first_deliveries_before =
            std::mem::replace(&mut known.first_deliveries, first_deliveries);
        let taken = self.ingest(vec![read], now).await;
        self.known_entry(bucket).first_deliveries = first_deliveries_before;
        taken
    }
}
