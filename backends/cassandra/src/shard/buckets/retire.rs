//! Deleting buckets that are settled.

use std::time::Duration;

use longshore_core::{Result, Timestamp};

use crate::protocol::storage::{Bucket, Mark};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::buckets::progress::BucketProgress;
use crate::shard::buckets::scan::Looked;
use crate::shard::load::read::after;

/// A settled bucket is deleted so long after its time was over.
const AFTER: Duration = Duration::from_secs(180);

impl BucketProgress {
    /// Whether nothing in it is left to do, as far as memory says.
    pub(crate) fn is_over(&self, bucket: Bucket, now: Timestamp) -> bool {
        self.is_final
            && self.at_end
            && self.open.is_empty()
            && stream_kind::end_of(bucket).plus(AFTER) <= now
            && self.known_until <= now
    }
}

impl Shard {
    /// Goes on behind a page of a settled bucket whose rows say the same; deletes it behind the
    /// last one.
    pub(crate) async fn retire_on(
        &mut self,
        bucket: Bucket,
        looked: &Looked,
        now: Timestamp,
    ) -> Result<()> {
        let known = self.known_entry(bucket);
        if !known.is_over(bucket, now) {
            return Ok(());
        }
        if let Some(left) = looked.left {
            // A replica lost what it had acknowledged, or the ring changed: read it all again.
            tracing::error!(
                bucket = bucket.number,
                id = %left.id,
                "a message turned up in a bucket that was settled; it is delivered"
            );
            known.read_again();
            return self.read_on(&[bucket.stream.kind], now).await;
        }
        if let (true, Some(last)) = (looked.goes_on, looked.page.last()) {
            known.checked = after(*last);
            return Ok(());
        }
        self.storage.set_done(bucket).await?;
        self.storage.delete(bucket).await?;
        if let Some(known) = self.streams.get_mut(&bucket.stream.kind) {
            known.buckets.remove(&bucket.number);
        }
        Ok(())
    }

    /// Raises the mark below which there is nothing, and forgets the registrations there.
    pub(crate) async fn advance(&mut self, kind: i8) -> Result<()> {
        let stream = self.stream(kind);
        let known = self.streams.entry(kind).or_default();
        let first_open = known.buckets.keys().next().copied();
        let done_to = first_open.unwrap_or(i64::MAX).min(known.marks.closed_to);
        // A registration that lies below is of a bucket that is closed and was never read: it
        // is not passed.
        if done_to <= known.marks.done_to {
            return Ok(());
        }
        let registered = self.storage.buckets(stream, known.marks.done_to).await?;
        let open = registered.iter().find(|bucket| !bucket.done);
        let done_to = open.map_or(done_to, |bucket| bucket.number.min(done_to));
        if done_to <= known.marks.done_to || registered.iter().all(|it| it.number >= done_to) {
            return Ok(());
        }
        self.storage.raise(stream, Mark::Done, done_to).await?;
        let marks = self.storage.marks(stream).await?;
        if marks.done_to >= done_to {
            self.storage.forget_buckets(stream, done_to).await?;
        }
        let known = self.streams.entry(kind).or_default();
        known.marks = marks;
        Ok(())
    }
}
