//! What an owner does for its shards now and then: the life of buckets.

use std::time::Duration;

use longshore_core::{Result, Timestamp};

use crate::producer::append::Producer;
use crate::protocol::storage::{Bucket, Mark};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::buckets::progress::{BucketProgress, StreamProgress};
use crate::shard::buckets::scan::{BucketScan, Looked, Task};
use crate::shard::load::read::after;

/// A bucket is closed so long after its time is over. Messages that are written later go to the
/// next one: the span decides how often that happens, never whether something is lost.
pub(crate) const CLOSE_AFTER: Duration = Duration::from_secs(10);

impl Shard {
    /// What is done at once; scans do the rest, page by page.
    pub(crate) async fn maintain(&mut self, producer: &Producer, now: Timestamp) -> Result<()> {
        self.sweep(now).await?;
        self.close(now).await?;
        self.relocate(producer, now).await?;
        self.note_watermarks_seldom(now).await
    }

    /// What to look at next; nothing if all is done for now. Looks for what came late and the rest
    /// take turns, so that neither waits for the end of the other.
    pub(crate) async fn next_scan(&mut self, now: Timestamp) -> Result<Option<BucketScan>> {
        self.sweeps_next = !self.sweeps_next;
        if self.sweeps_next
            && let Some(sweep) = self.next_sweep()
        {
            return Ok(Some(sweep));
        }
        let other = self.next_of_closed(now).await?;
        Ok(other.or_else(|| self.next_sweep()))
    }

    fn next_sweep(&self) -> Option<BucketScan> {
        let bucket = self.find_bucket(|_, _, known| known.sweep.is_some())?;
        let known = self.streams.get(&bucket.stream.kind)?;
        let from = known.buckets.get(&bucket.number)?.sweep?.next;
        Some(BucketScan {
            task: Task::Sweep,
            bucket,
            from,
        })
    }

    async fn next_of_closed(&mut self, now: Timestamp) -> Result<Option<BucketScan>> {
        let is_unscanned = |bucket: Bucket, stream: &StreamProgress, known: &BucketProgress| {
            !known.is_final && bucket.number < stream.marks.closed_to
        };
        if let Some(bucket) = self.find_bucket(is_unscanned) {
            return Ok(Some(self.scan(Task::Scan, bucket)));
        }
        let is_over =
            |bucket: Bucket, _: &StreamProgress, known: &BucketProgress| known.is_over(bucket, now);
        if let Some(bucket) = self.find_bucket(is_over) {
            // Its ends are decided; from here on they are in the rows.
            self.in_flight_writes.all_completed().await;
            return Ok(Some(self.scan(Task::Retire, bucket)));
        }
        for kind in stream_kind::ALL {
            let done = self.advance(kind).await;
            self.is_stale |= done.is_err();
            done?;
        }
        let uncounted = self.next_uncounted();
        Ok(uncounted.map(|(bucket, from)| BucketScan {
            task: Task::Count,
            bucket,
            from,
        }))
    }

    fn scan(&mut self, task: Task, bucket: Bucket) -> BucketScan {
        let from = self.known_entry(bucket).checked;
        BucketScan { task, bucket, from }
    }

    /// Does what is to be done about one page.
    pub(crate) async fn apply_scan(
        &mut self,
        scan: BucketScan,
        looked: Looked,
        now: Timestamp,
    ) -> Result<()> {
        let BucketScan { task, bucket, from } = scan;
        let is_next = self.known_bucket(bucket).is_some_and(|known| match task {
            Task::Sweep => known.sweep.is_some_and(|sweep| sweep.next == from),
            Task::Scan => known.checked == from && !known.is_final,
            Task::Retire => known.checked == from && known.is_final,
            Task::Count => true,
        });
        if !is_next {
            // Something else was done about it meanwhile.
            return Ok(());
        }
        let done = match task {
            Task::Sweep => self.sweep_on(bucket, &looked, now).await,
            Task::Scan => self.scan_on(bucket, &looked, now).await,
            Task::Retire => self.retire_on(bucket, &looked, now).await,
            Task::Count => {
                let Looked { page, goes_on, .. } = looked;
                self.count_page(bucket, from, &page, goes_on, now);
                Ok(())
            }
        };
        self.is_stale |= done.is_err();
        done
    }

    fn find_bucket(
        &self,
        is_it: impl Fn(Bucket, &StreamProgress, &BucketProgress) -> bool,
    ) -> Option<Bucket> {
        self.streams.iter().find_map(|(kind, stream)| {
            let mut buckets = stream.buckets.iter().map(|(number, known)| {
                let number = *number;
                let stream = self.stream(*kind);
                (Bucket { stream, number }, known)
            });
            let found = buckets.find(|(bucket, known)| is_it(*bucket, stream, known));
            found.map(|(bucket, _)| bucket)
        })
    }

    /// Closes the buckets whose time is over. Once that is confirmed each is read as a whole:
    /// whatever was acknowledged in it is found by then.
    async fn close(&mut self, now: Timestamp) -> Result<()> {
        let done = self.try_close(now).await;
        self.is_stale |= done.is_err();
        done
    }

    async fn try_close(&mut self, now: Timestamp) -> Result<()> {
        for kind in stream_kind::ALL {
            let stream = self.stream(kind);
            let Some(known) = self.streams.get(&kind) else {
                continue;
            };
            let open = known.buckets.range(known.marks.closed_to..);
            let over = open.filter(|(number, _)| {
                let number = **number;
                let end = stream_kind::end_of(Bucket { stream, number });
                end.plus(CLOSE_AFTER) <= now
            });
            let Some(last) = over.map(|(number, _)| *number).max() else {
                continue;
            };
            self.storage.raise(stream, Mark::Closed, last + 1).await?;
            let marks = self.storage.marks(stream).await?;
            if marks.closed_to <= last {
                // Not confirmed is not closed: the next look tries again.
                continue;
            }
            // The index is read again: a bucket may have been registered since.
            self.read_index(&[kind]).await?;
            self.read_on(&[kind], now).await?;
        }
        Ok(())
    }

    /// Takes in what was not seen of one more page of a closed bucket while it was open. What lies
    /// behind the end of what was read, is read on.
    async fn scan_on(&mut self, bucket: Bucket, looked: &Looked, now: Timestamp) -> Result<()> {
        let goes_on = self.take_late_page(bucket, &looked.page, now).await?;
        let known = self.known_entry(bucket);
        if let (true, Some(last)) = (goes_on && looked.goes_on, looked.page.last()) {
            known.checked = after(*last);
            return Ok(());
        }
        known.finish();
        self.read_on(&[bucket.stream.kind], now).await
    }
}
