//! How much lies in buckets that were not deleted yet, and what has waited longest.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use longshore_core::{Finding, QueueName, QueueStats, Result, Severity};

use crate::cql::queue_def::QueueDef;
use crate::protocol::storage::{Storage, Stream};
use crate::protocol::stream_kind;

/// Streams that are asked at a time.
const AT_ONCE: usize = 16;

/// An owner reads the index of its streams often: beyond so many buckets that costs.
const BUCKETS_MANY: usize = 3000;

/// The open buckets of the queues that were looked at.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    queues: usize,
    buckets: usize,
    /// The queue with the most in one stream.
    most: Option<(QueueName, usize)>,
    /// The queue with the message that has been due longest and is not handed out.
    oldest: Option<(QueueName, Duration)>,
}

impl Backlog {
    /// Adds a queue with its numbers.
    pub(crate) async fn add(
        &mut self,
        storage: &dyn Storage,
        name: &QueueName,
        def: &QueueDef,
        stats: &QueueStats,
    ) -> Result<()> {
        let queue = def.queue;
        let streams = (0..def.shards)
            .flat_map(|shard| stream_kind::ALL.map(|kind| Stream { queue, shard, kind }));
        let open = stream::iter(streams)
            .map(|stream| open_buckets(storage, stream))
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>();
        self.queues += 1;
        for buckets in open.await? {
            self.buckets += buckets;
            if self.most.as_ref().is_none_or(|(_, most)| *most < buckets) {
                self.most = Some((name.clone(), buckets));
            }
        }
        if let Some(age) = stats.oldest_age
            && self.oldest.as_ref().is_none_or(|(_, oldest)| *oldest < age)
        {
            self.oldest = Some((name.clone(), age));
        }
        Ok(())
    }

    /// What there is to say of all of them.
    pub(crate) fn finding(&self, there_are_more: bool) -> Finding {
        let Self {
            queues, buckets, ..
        } = self;
        let mut found = format!("open buckets: {buckets}, in queues: {queues}");
        if there_are_more {
            found.push_str(" (the first ones by name; there are more)");
        }
        match &self.oldest {
            Some((queue, age)) => {
                let minutes = age.as_secs() / 60;
                found = format!(
                    "{found}; the message that waits longest, of queue {queue}, has been due for \
                     {minutes} min"
                );
            }
            None => found.push_str("; no message that is due waits"),
        }
        match &self.most {
            Some((queue, most)) if *most > BUCKETS_MANY => {
                let found = format!("{found}; {most} of them in one stream of queue {queue}");
                Finding::new(Severity::Warning, "buckets", found).fix(format!(
                    "longshore queues {queue}: is it paused, or without workers? Whoever takes it \
                     over reads all of them"
                ))
            }
            _ => Finding::new(Severity::Ok, "buckets", found),
        }
    }
}

/// How many there are of a stream.
async fn open_buckets(storage: &dyn Storage, stream: Stream) -> Result<usize> {
    let marks = storage.marks(stream).await?;
    let index = storage.buckets(stream, marks.done_to).await?;
    Ok(index.into_iter().filter(|row| !row.done).count())
}
