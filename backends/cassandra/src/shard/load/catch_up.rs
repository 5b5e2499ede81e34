//! A shard in memory catches up with what was heard of it.

use std::collections::BTreeSet;

use longshore_core::{Result, Timestamp};

use crate::protocol::storage::{Bucket, MessageRow};
use crate::shard::Shard;
use crate::shard::load::ingest::Ingested;

/// What is new about a shard.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Lanes with messages that were not read.
    pub(crate) kinds: BTreeSet<i8>,
    /// Whether others wrote events.
    pub(crate) events: bool,
    /// Messages that this process stored.
    pub(crate) arrived: Vec<(Bucket, MessageRow)>,
    /// The size of those.
    pub(crate) arrived_bytes: usize,
}

impl Shard {
    /// Takes in what is new. If that fails, memory is not believed any more.
    pub(crate) async fn catch_up(&mut self, news: News, now: Timestamp) -> Result<()> {
        let done = self.try_catch_up(news, now).await;
        self.is_stale |= done.is_err();
        done
    }

    async fn try_catch_up(&mut self, news: News, now: Timestamp) -> Result<()> {
        // What fell due meanwhile has its place before what came since.
        self.index.tick(now);
        // What others stored goes first: it may be of a group that has new members here.
        self.refresh_some(news.kinds, now).await?;
        let mut taken = Ingested::default();
        let mut unread = BTreeSet::new();
        for (bucket, row) in news.arrived {
            if !self.arrive(bucket, row, now, &mut taken) {
                unread.insert(bucket.stream.kind);
            }
        }
        self.finish_taking(taken).await?;
        self.refresh_some(unread, now).await?;
        if news.events {
            self.told += 1;
            self.refresh_events(now).await?;
        }
        Ok(())
    }

    async fn refresh_some(&mut self, kinds: BTreeSet<i8>, now: Timestamp) -> Result<()> {
        if kinds.is_empty() {
            return Ok(());
        }
        let kinds: Vec<_> = kinds.into_iter().collect();
        self.refresh(&kinds, now).await
    }
}
