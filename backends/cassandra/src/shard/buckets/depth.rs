//! How many messages lie behind what is in memory: from counts that are kept, what is counted now,
//! and an estimate of the rest.

use longshore_core::{Result, Timestamp};

use crate::protocol::storage::{Bucket, Counted, Position, Watermark};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::buckets::maintain::CLOSE_AFTER;
use crate::shard::buckets::progress::BucketProgress;
use crate::shard::load::read::after;

/// Positions of one page.
const POSITIONS: usize = 5000;

/// Looks of so many pages are made at one shard. What is left over is estimated, and counted by the
/// next looks.
#[derive(Debug)]
pub(crate) struct Pages(usize);

impl Pages {
    /// Of a process that only looks.
    pub(crate) const LOOK: usize = 60;
    /// While producers wait for the answer, or receives for the shard.
    pub(crate) const SHORT: usize = 6;

    fn take(&mut self) -> bool {
        let has_some = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        has_some
    }
}

/// Messages that are not in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    pub(crate) waiting: u64,
    pub(crate) delayed: u64,
    pub(crate) dead: u64,
    /// When the oldest of the counts was taken.
    pub(crate) at: Option<Timestamp>,
}

impl Shard {
    /// The numbers of a shard that others own, or nobody: counted as far as the pages go. What was
    /// counted is kept for the next process that looks.
    pub(crate) async fn estimate(&mut self, pages: usize, now: Timestamp) -> Result<Estimate> {
        self.count(pages, now).await?;
        self.note_counts().await;
        Ok(self.sum_estimate())
    }

    /// The numbers of our own shard. Nobody waits long for them: what is not counted yet is counted
    /// beside the work.
    pub(crate) async fn estimate_own(&mut self, now: Timestamp) -> Result<Estimate> {
        if self.count_since.is_none() {
            self.count_since = Some(now);
            self.count(Pages::SHORT, now).await?;
        }
        Ok(self.sum_estimate())
    }

    async fn count(&mut self, pages: usize, now: Timestamp) -> Result<()> {
        let mut pages = Pages(pages);
        let mut open = self.uncounted(now);
        // Those that were never counted before those that may have grown since.
        open.sort_by_key(|(_, at)| *at);
        for bucket in self.with_gaps() {
            self.count_gap(bucket, &mut pages).await?;
        }
        for (bucket, _) in open {
            self.count_bucket(bucket, &mut pages, now).await?;
        }
        Ok(())
    }

    /// The buckets whose counts may miss something that came before a time, and when they were
    /// counted last.
    fn uncounted(&self, before: Timestamp) -> Vec<(Bucket, Timestamp)> {
        let mut found = Vec::new();
        for (kind, known) in &self.streams {
            let stream = self.stream(*kind);
            let unread = known.buckets.iter().filter(|(_, known)| !known.at_end);
            found.extend(unread.filter_map(|(number, known)| {
                let counted = known.counted;
                let at = counted.map_or(Timestamp::EPOCH, |counted| counted.at);
                let is_whole = counted.is_some_and(|counted| counted.is_whole());
                let number = *number;
                (!is_whole && at < before).then_some((Bucket { stream, number }, at))
            }));
        }
        found
    }

    /// A bucket to be counted on, where a process asked for the numbers.
    pub(crate) fn next_uncounted(&mut self) -> Option<(Bucket, Position)> {
        let since = self.count_since?;
        let Some((bucket, _)) = self.uncounted(since).into_iter().next() else {
            self.count_since = None;
            return None;
        };
        Some((bucket, self.counted(bucket).to))
    }

    /// Adds a page that was looked at.
    pub(crate) fn count_page(
        &mut self,
        bucket: Bucket,
        from: Position,
        page: &[Position],
        goes_on: bool,
        now: Timestamp,
    ) {
        let is_final = self.known_entry(bucket).is_final;
        let counted = self.counted(bucket);
        if counted.to != from || counted.is_whole() {
            // What was read has passed it meanwhile.
            return;
        }
        counted.extend(page);
        if !goes_on {
            counted.at_end(is_final || is_past(bucket, now), now);
        }
    }

    fn counted(&mut self, bucket: Bucket) -> &mut Counted {
        let known = self.known_entry(bucket);
        let next = known.next;
        known.counted.get_or_insert_with(|| Counted::nothing(next))
    }

    /// Buckets whose count was noted by a process that had read further.
    fn with_gaps(&self) -> Vec<Bucket> {
        let mut found = Vec::new();
        for (kind, known) in &self.streams {
            let stream = self.stream(*kind);
            let gaps = known.buckets.iter().filter(|(_, known)| {
                let begins = known.counted.map(|counted| counted.from);
                !known.at_end && begins.is_some_and(|from| from > known.next)
            });
            found.extend(gaps.map(|(number, _)| Bucket {
                stream,
                number: *number,
            }));
        }
        found
    }

    /// Counts what lies between what was read of a bucket and what was counted of it.
    async fn count_gap(&mut self, bucket: Bucket, pages: &mut Pages) -> Result<()> {
        let rows = self.storage.clone();
        let next = self.known_entry(bucket).next;
        let to = self.counted(bucket).from;
        let (mut from, mut count) = (next, 0);
        while pages.take() {
            let page = rows.positions(bucket, from, POSITIONS).await?;
            let here = page.partition_point(|position| *position < to);
            count += here as u64;
            match page.last() {
                Some(last) if here == POSITIONS => from = after(*last),
                _ => {
                    self.counted(bucket).begin_at(next, count);
                    break;
                }
            }
        }
        Ok(())
    }

    async fn count_bucket(
        &mut self,
        bucket: Bucket,
        pages: &mut Pages,
        now: Timestamp,
    ) -> Result<()> {
        let rows = self.storage.clone();
        while pages.take() {
            let from = self.counted(bucket).to;
            let page = rows.positions(bucket, from, POSITIONS).await?;
            let goes_on = page.len() == POSITIONS;
            self.count_page(bucket, from, &page, goes_on, now);
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// What the counts add up to. A bucket that was never counted to its end is taken to have as
    /// many as those of its stream that were, on average.
    fn sum_estimate(&self) -> Estimate {
        let mut estimate = Estimate::default();
        for (kind, known) in &self.streams {
            let unread = known.buckets.values().filter(|known| !known.at_end);
            let counts: Vec<_> = unread.map(|known| known.counted).collect();
            let ended = counts.iter().flatten().filter(|it| it.has_ended());
            estimate.at = ended.map(|it| it.at).chain(estimate.at).min();
            let count = sum_of(&counts);
            match *kind {
                stream_kind::DELAYED => estimate.delayed += count,
                stream_kind::DEAD | stream_kind::HOLDING => estimate.dead += count,
                _ => estimate.waiting += count,
            }
        }
        estimate
    }

    /// Keeps what was counted for the next process that looks. It is worth no error: the rights to
    /// look may be all there are.
    async fn note_counts(&mut self) {
        let mut notes = Vec::new();
        for (kind, known) in &self.streams {
            let stream = self.stream(*kind);
            for (number, known) in &known.buckets {
                let number = *number;
                notes.extend(note_of(known).map(|note| (Bucket { stream, number }, note)));
            }
        }
        for (bucket, note) in notes {
            if self.storage.note_watermark(bucket, note).await.is_err() {
                return;
            }
        }
    }
}

/// Whether nothing is stored in a bucket any more, but by hosts whose clocks are wrong.
fn is_past(bucket: Bucket, now: Timestamp) -> bool {
    stream_kind::end_of(bucket).plus(CLOSE_AFTER) <= now
}

/// What is noted of a bucket that was counted by a process that only looks: how far it is settled
/// stays as it was.
fn note_of(known: &BucketProgress) -> Option<Watermark> {
    let counted = known.counted.filter(|_| !known.at_end)?;
    let before = known.noted.and_then(|noted| noted.counted);
    if counted.count == 0 || before.is_some_and(|before| before.is_same(&counted)) {
        return None;
    }
    let watermark = known.noted.unwrap_or(Watermark::NOTHING);
    Some(Watermark {
        counted: Some(counted),
        ..watermark
    })
}

fn sum_of(counts: &[Option<Counted>]) -> u64 {
    let ended = || counts.iter().flatten().filter(|it| it.has_ended());
    let sum: u64 = ended().map(|it| it.count).sum();
    let mean = sum.checked_div(ended().count() as u64).unwrap_or_default();
    let rest = counts
        .iter()
        .filter(|it| it.is_none_or(|it| !it.has_ended()));
    let rest = rest.map(|it| it.map_or(0, |it| it.count).max(mean));
    sum + rest.sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_counted_is_taken_to_be_like_what_was() {
        let counted = |count, ends: bool| {
            let mut counted = Counted::nothing(Position::FIRST);
            counted.count = count;
            if ends {
                counted.at_end(true, Timestamp::from_millis(1));
            }
            Some(counted)
        };
        assert_eq!(sum_of(&[]), 0);
        assert_eq!(sum_of(&[counted(10, false), None]), 10);
        let some = [
            counted(10, true),
            counted(30, true),
            counted(5, false),
            counted(70, false),
            None,
        ];
        assert_eq!(sum_of(&some), 40 + 20 + 70 + 20);
    }
}
