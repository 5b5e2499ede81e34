//! A shard in memory follows its rows: it reads on where there is room, and what came meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use longshore_core::{Result, Timestamp};
use uuid::Uuid;

use crate::protocol::storage::{Bucket, BucketRow, Marks, Position};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::buckets::progress::{BucketProgress, Sweep};
use crate::shard::buckets::scan::Looked;
use crate::shard::load::page::{BucketPage, Until, Want};
use crate::shard::load::read::after;

/// Buckets that are read at a time.
const READ_AT_ONCE: usize = 8;

/// How far behind the newest message a poll looks again: writes of one time may come in any
/// order. Later ones are found by the sweep and, for certain, by the scan after the close.
const OVERLAP_US: i64 = 200_000;

/// How often what came late is looked for while there is enough to hand out: more often than what
/// is fresh grows old.
const SWEEP_BUSY: Duration = Duration::from_secs(4);

/// How often all streams are looked at, and so far behind.
const SWEEP_ALL: Duration = Duration::from_secs(30);

/// Maximum messages of one page.
const PAGE_MAX: usize = 500;

/// A page is not made to hold more bytes of messages than this.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

impl Shard {
    /// The watermarks of a stream and its buckets that are not done.
    async fn index(&self, kind: i8) -> Result<(i8, Marks, Vec<BucketRow>)> {
        let stream = self.stream(kind);
        // In this order: what is closed by the marks had been registered.
        let marks = self.storage.marks(stream).await?;
        let buckets = self.storage.buckets(stream, marks.done_to).await?;
        let open = buckets.into_iter().filter(|bucket| !bucket.done);
        Ok((kind, marks, open.collect()))
    }

    /// Reads which buckets some streams have.
    pub(crate) async fn read_index(&mut self, kinds: &[i8]) -> Result<()> {
        let indexes = try_join_all(kinds.iter().map(|kind| self.index(*kind))).await?;
        for (kind, marks, rows) in indexes {
            let known = self.streams.entry(kind).or_default();
            known.index(marks, &rows);
        }
        Ok(())
    }

    /// Reads what came into some streams since they were read last: new buckets, and new messages
    /// in those that are not closed.
    pub(crate) async fn refresh(&mut self, kinds: &[i8], now: Timestamp) -> Result<()> {
        self.unswept.extend(kinds);
        self.poll(kinds, now).await
    }

    /// Reads what came since, and says where to look again for messages that came late: where
    /// something fresh was read, and now and then in all streams and farther behind, since a
    /// notification may have been lost. [`Shard::scan_on`] looks, page by page.
    pub(crate) async fn sweep(&mut self, now: Timestamp) -> Result<()> {
        let all = now.since(self.swept_at) >= SWEEP_ALL;
        if all {
            self.swept_at = now;
            self.unswept.extend(stream_kind::ALL);
        }
        let kinds: Vec<_> = std::mem::take(&mut self.unswept).into_iter().collect();
        let done = self.try_sweep(&kinds, all, now).await;
        self.is_stale |= done.is_err();
        done
    }

    async fn try_sweep(&mut self, kinds: &[i8], all: bool, now: Timestamp) -> Result<()> {
        if !kinds.is_empty() {
            self.poll(kinds, now).await?;
        }
        // While there is enough to hand out nobody waits for what came late.
        let is_idle = !self.index.is_ready_at(now);
        let is_due = |it: &BucketProgress| {
            let is_time = is_idle || now.since(it.swept_at) >= SWEEP_BUSY;
            it.sweep.is_none() && (all || it.unswept.is_some() && is_time)
        };
        for bucket in self.buckets_where(&stream_kind::ALL, is_due) {
            let known = self.known_entry(bucket);
            let behind = known.before_high(SWEEP_ALL.as_micros() as i64);
            let next = match known.unswept {
                Some(pos) if !all => known.begun.max(Position {
                    pos,
                    id: Uuid::nil(),
                }),
                _ => behind,
            };
            known.sweep = Some(Sweep { next, since: now });
        }
        Ok(())
    }

    /// Takes in what came late of one more page of a sweep.
    pub(crate) async fn sweep_on(
        &mut self,
        bucket: Bucket,
        looked: &Looked,
        now: Timestamp,
    ) -> Result<()> {
        let goes_on = self.take_late_page(bucket, &looked.page, now).await?;
        let known = self.known_entry(bucket);
        let Some(sweep) = &mut known.sweep else {
            return Ok(());
        };
        match looked.page.last() {
            Some(last) if goes_on && looked.goes_on => sweep.next = after(*last),
            _ => known.note_swept(),
        }
        Ok(())
    }

    /// The buckets of some streams that may go on and of which something holds.
    fn buckets_where(&self, kinds: &[i8], holds: impl Fn(&BucketProgress) -> bool) -> Vec<Bucket> {
        let mut found = Vec::new();
        for kind in kinds {
            let stream = self.stream(*kind);
            let Some(known) = self.streams.get(kind) else {
                continue;
            };
            let open = known
                .buckets
                .iter()
                .filter(|(_, it)| !it.is_final && holds(it));
            found.extend(open.map(|(number, _)| {
                let number = *number;
                Bucket { stream, number }
            }));
        }
        found
    }

    /// Reads new buckets of some streams, new messages behind what was read, and on where there is
    /// room.
    pub(crate) async fn poll(&mut self, kinds: &[i8], now: Timestamp) -> Result<()> {
        self.read_index(kinds).await?;
        let mut wants = Vec::new();
        for bucket in self.buckets_where(kinds, |it| it.at_end) {
            let max = self.page_max(self.room(bucket, now));
            if max == 0 {
                // Read when there is room.
                self.known_entry(bucket).at_end = false;
                continue;
            }
            wants.push(Want {
                bucket,
                from: self.known_entry(bucket).before_high(OVERLAP_US),
                events: false,
                max,
            });
        }
        let read = self.read_wanted(wants).await?;
        self.ingest(read, now).await?;
        self.read_on(kinds, now).await
    }

    /// Reads buckets on, in their order, where there is room: a part of what fits, so that nobody
    /// who waits for the shard waits for all of it.
    pub(crate) async fn read_on(&mut self, kinds: &[i8], now: Timestamp) -> Result<()> {
        self.read(kinds, now, self.window.part).await
    }

    /// Reads all that fits.
    pub(crate) async fn read_all(&mut self, now: Timestamp) -> Result<()> {
        self.read(&stream_kind::ALL, now, usize::MAX).await
    }

    async fn read(&mut self, kinds: &[i8], now: Timestamp, most: usize) -> Result<()> {
        let mut count = 0;
        // More than one at a time while each is read by one page.
        let mut at_once = READ_AT_ONCE;
        loop {
            let mut wants = Vec::new();
            for kind in kinds {
                self.want_next(*kind, at_once, now, &mut wants);
            }
            if wants.is_empty() || count >= most {
                if self.set_frontier() {
                    self.index.admit_all();
                }
                return Ok(());
            }
            // What is on its way is in memory and not in the rows yet.
            self.in_flight_writes.all_completed().await;
            let mut read = self.read_wanted(wants).await?;
            self.measure(&read);
            at_once = if read.iter().all(|page| page.until == Until::End) {
                READ_AT_ONCE
            } else {
                1
            };
            // What lies behind a bucket that goes on has its turn later.
            let mut goes_on = BTreeSet::new();
            read.retain(|page| {
                let takes = !goes_on.contains(&page.bucket.stream.kind);
                if page.until != Until::End {
                    goes_on.insert(page.bucket.stream.kind);
                }
                takes
            });
            count += read.iter().map(|page| page.messages.len()).sum::<usize>();
            self.ingest(read, now).await?;
        }
    }

    /// The next pages of a stream.
    pub(crate) fn want_next(
        &self,
        kind: i8,
        at_once: usize,
        now: Timestamp,
        wants: &mut Vec<Want>,
    ) {
        let stream = self.stream(kind);
        let Some(known) = self.streams.get(&kind) else {
            return;
        };
        let unread = known.buckets.iter().filter(|(_, bucket)| !bucket.at_end);
        for (number, known) in unread.take(at_once) {
            let number = *number;
            let bucket = Bucket { stream, number };
            let max = self.page_max(self.room(bucket, now));
            if max == 0 {
                return;
            }
            wants.push(Want {
                bucket,
                from: known.next,
                events: true,
                max,
            });
        }
    }

    /// Reads pages, in the order they are asked for.
    async fn read_wanted(&self, wants: Vec<Want>) -> Result<Vec<BucketPage>> {
        let rows = &*self.storage;
        let read = stream::iter(wants).map(|want| want.read(rows));
        read.buffered(READ_AT_ONCE).try_collect().await
    }

    fn page_max(&self, room: usize) -> usize {
        let by_size = (PAGE_BYTES / self.row_bytes.max(1)).clamp(16, PAGE_MAX);
        room.min(by_size)
    }

    /// Learns how large messages are here.
    fn measure(&mut self, read: &[BucketPage]) {
        let rows = || read.iter().flat_map(|page| &page.messages);
        let bytes: usize = rows().map(|row| row.head.len() + row.body.len()).sum();
        let count = rows().count();
        if let Some(mean) = bytes.checked_div(count) {
            self.row_bytes = self.row_bytes.midpoint(mean);
        }
    }

    /// Reads on where there are too few for a receive of so many. The rest is read beside the work.
    pub(crate) async fn fill_for(&mut self, max: usize, now: Timestamp) -> Result<()> {
        let is_short = |kind: &i8| self.wants(*kind, now) && !self.has_enough(*kind, max);
        let short = stream_kind::ALL.into_iter().filter(is_short);
        let (some, whole): (Vec<_>, Vec<_>) =
            short.partition(|kind| stream_kind::PRIORITIES.contains(kind));
        // Who holds a group is known before any of its members is handed out.
        if !whole.is_empty() {
            self.read(&whole, now, usize::MAX).await?;
        }
        if !some.is_empty() {
            self.read_on(&some, now).await?;
        }
        Ok(())
    }

    /// How many of each lane are ready for a receive of so many, what lies behind read as needed.
    pub(crate) async fn ready_for(&mut self, max: usize, now: Timestamp) -> Result<[usize; 3]> {
        let filled = self.fill_for(max, now).await;
        self.is_stale |= filled.is_err();
        filled?;
        self.index.tick(now);
        Ok(stream_kind::PRIORITIES.map(|kind| self.index.ready_len(kind)))
    }

    /// Reads on if less than half of what fits is in memory.
    pub(crate) async fn fill(&mut self, now: Timestamp) -> Result<()> {
        let wanted = stream_kind::ALL
            .into_iter()
            .filter(|kind| self.wants(*kind, now));
        let kinds: Vec<_> = wanted.collect();
        if kinds.is_empty() {
            return Ok(());
        }
        // Rarely and much rather than often and little: it is read before a receive is served.
        self.read(&kinds, now, usize::MAX).await
    }
}
