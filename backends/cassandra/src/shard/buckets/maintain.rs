//! What an owner does for its shards now and then: the life of buckets.

use std::time::Duration;

use longshore_core::{Result, Timestamp};

use crate::producer::append::Producer;
use crate::protocol::storage::{Bucket, Mark};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::buckets::progress::{Known, KnownBucket};
use crate::shard::buckets::scan::{Chore, Looked, Task};
use crate::shard::load::read::after;

/// A bucket is closed so long after its time is over. Messages that are written later go to the
/// next one: the span decides how often that happens, never whether something is lost.
pub(crate) const CLOSE_AFTER: Duration = Duration::from_secs(10);

impl Shard {
    /// What is done at once; chores do the rest, page by page.
    pub(crate) async fn keep_house(&mut self, producer: &Producer, now: Timestamp) -> Result<()> {
        self.sweep(now).await?;
        self.close(now).await?;
        self.evacuate(producer, now).await?;
        self.note_settled_seldom(now).await
    }

    /// What to look at next; nothing if all is done for now. Looks for what came late and the rest
    /// take turns, so that neither waits for the end of the other.
    pub(crate) async fn next_chore(&mut self, now: Timestamp) -> Result<Option<Chore>> {
        self.sweeps_next = !self.sweeps_next;
        if self.sweeps_next
            && let Some(sweep) = self.next_sweep()
        {
            return Ok(Some(sweep));
        }
        let other = self.next_of_closed(now).await?;
        Ok(other.or_else(|| self.next_sweep()))
    }

    fn next_sweep(&self) -> Option<Chore> {
        let bucket = self.find_bucket(|_, _, known| known.sweep.is_some())?;
        let known = self.streams.get(&bucket.stream.lane)?;
        let from = known.buckets.get(&bucket.number)?.sweep?.next;
        Some(Chore {
            task: Task::Sweep,
            bucket,
            from,
        })
    }

    async fn next_of_closed(&mut self, now: Timestamp) -> Result<Option<Chore>> {
        let is_unscanned = |bucket: Bucket, stream: &Known, known: &KnownBucket| {
            !known.is_final && bucket.number < stream.marks.closed_to
        };
        if let Some(bucket) = self.find_bucket(is_unscanned) {
            return Ok(Some(self.chore(Task::Scan, bucket)));
        }
        let is_over = |bucket: Bucket, _: &Known, known: &KnownBucket| known.is_over(bucket, now);
        if let Some(bucket) = self.find_bucket(is_over) {
            // Its ends are decided; from here on they are in the rows.
            self.flights.all_landed().await;
            return Ok(Some(self.chore(Task::Retire, bucket)));
        }
        for lane in stream_kind::ALL {
            let done = self.advance(lane).await;
            self.is_stale |= done.is_err();
            done?;
        }
        let uncounted = self.next_uncounted();
        Ok(uncounted.map(|(bucket, from)| Chore {
            task: Task::Count,
            bucket,
            from,
        }))
    }

    fn chore(&mut self, task: Task, bucket: Bucket) -> Chore {
        let from = self.known_entry(bucket).checked;
        Chore { task, bucket, from }
    }

    /// Does what is to be done about one page.
    pub(crate) async fn do_chore(
        &mut self,
        chore: Chore,
        looked: Looked,
        now: Timestamp,
    ) -> Result<()> {
        let Chore { task, bucket, from } = chore;
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

    fn find_bucket(&self, is_it: impl Fn(Bucket, &Known, &KnownBucket) -> bool) -> Option<Bucket> {
        self.streams.iter().find_map(|(lane, stream)| {
            let mut buckets = stream.buckets.iter().map(|(number, known)| {
                let number = *number;
                let stream = self.stream(*lane);
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
        for lane in stream_kind::ALL {
            let stream = self.stream(lane);
            let Some(known) = self.streams.get(&lane) else {
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
            self.rows.raise(stream, Mark::Closed, last + 1).await?;
            let marks = self.rows.marks(stream).await?;
            if marks.closed_to <= last {
                // Not confirmed is not closed: the next look tries again.
                continue;
            }
            // The index is read anew: a bucket may have been registered since.
            self.read_index(&[lane]).await?;
            self.read_on(&[lane], now).await?;
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
        self.read_on(&[bucket.stream.lane], now).await
    }
}
