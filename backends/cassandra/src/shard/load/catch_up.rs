//! A shard in memory catches up with what was heard of it.

use std::collections::BTreeSet;

use longshore_core::{Result, Timestamp};

use crate::protocol::storage::{Bucket, MessageRow};
use crate::shard::Shard;
use crate::shard::load::ingest::TakenIn;

/// What is new about a shard.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Lanes with messages that were not read.
    pub(crate) lanes: BTreeSet<i8>,
    /// Whether others wrote facts.
    pub(crate) facts: bool,
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
        self.model.tick(now);
        // What others stored goes first: it may be of a group that has new members here.
        self.refresh_some(news.lanes, now).await?;
        let mut taken = TakenIn::default();
        let mut unread = BTreeSet::new();
        for (bucket, row) in news.arrived {
            if !self.arrive(bucket, row, now, &mut taken) {
                unread.insert(bucket.stream.lane);
            }
        }
        self.finish_taking(taken).await?;
        self.refresh_some(unread, now).await?;
        if news.facts {
            self.told += 1;
            self.refresh_facts(now).await?;
        }
        Ok(())
    }

    async fn refresh_some(&mut self, lanes: BTreeSet<i8>, now: Timestamp) -> Result<()> {
        if lanes.is_empty() {
            return Ok(());
        }
        let lanes: Vec<_> = lanes.into_iter().collect();
        self.refresh(&lanes, now).await
    }
}
