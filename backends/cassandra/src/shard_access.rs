//! Looking at the shards of a queue: in memory where they are ours, read again elsewhere.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use longshore_core::{Result, StoreError, StoreErrorKind, StoredMessage, Timestamp};
use uuid::Uuid;

use crate::cql::queue_def::QueueDef;
use crate::ownership::consumer_session::HANDOVER_MAX;
use crate::ownership::stripe::{Opened, stripe_of};
use crate::shard::Shard;
use crate::shard::buckets::depth::Estimate;
use crate::store::Inner;

/// A shard to look at.
#[derive(Debug)]
pub(crate) enum Looked {
    /// Ours, and nobody else works on it meanwhile.
    Own(Opened),
    /// As its rows were a moment ago.
    Read(Box<Shard>),
}

impl Looked {
    pub(crate) fn shard(&self) -> Option<&Shard> {
        match self {
            Self::Own(opened) => opened.shard.as_ref(),
            Self::Read(shard) => Some(shard),
        }
    }

    pub(crate) fn shard_mut(&mut self) -> Option<&mut Shard> {
        match self {
            Self::Own(opened) => opened.shard.as_mut(),
            Self::Read(shard) => Some(shard),
        }
    }
}

impl Looked {
    /// How many messages lie behind what is in memory.
    pub(crate) async fn estimate(&mut self, pages: usize, now: Timestamp) -> Result<Estimate> {
        match self {
            Self::Own(opened) => match opened.shard.as_mut() {
                Some(shard) if !shard.is_whole() => shard.estimate_own(now).await,
                _ => Ok(Estimate::default()),
            },
            Self::Read(shard) if shard.is_whole() => Ok(Estimate::default()),
            Self::Read(shard) => shard.estimate(pages, now).await,
        }
    }
}

impl Inner {
    /// A shard as it is now.
    pub(crate) async fn look(self: &Arc<Self>, def: &QueueDef, number: i32) -> Result<Looked> {
        if self.owner.open_own(def.queue, number).await?.is_some() {
            self.owner.listen(&[stripe_of(def.queue, number)]).await?;
        }
        let mut looked = match self.owner.open_own(def.queue, number).await? {
            Some(opened) => Looked::Own(opened),
            None => Looked::Read(Box::new(self.owner.look(def.queue, number).await?)),
        };
        self.catch_up(def, number, &mut looked).await?;
        let now = self.now();
        if let Some(shard) = looked.shard_mut() {
            shard.read_all(now).await?;
            shard.index.tick(now);
        }
        Ok(looked)
    }

    async fn catch_up(&self, def: &QueueDef, number: i32, looked: &mut Looked) -> Result<()> {
        let Looked::Own(opened) = looked else {
            return Ok(());
        };
        if let (Some(shard), Some(news)) = (
            opened.shard.as_mut(),
            self.owner.news(def.queue, number).await?,
        ) {
            shard.catch_up(news, self.now()).await?;
        }
        Ok(())
    }

    /// All shards of a queue as they are now.
    pub(crate) async fn look_at_all(self: &Arc<Self>, def: &QueueDef) -> Result<Vec<Looked>> {
        let mut all = Vec::new();
        for number in in_order(def) {
            all.push((number, self.look(def, number).await?));
        }
        Ok(by_number(all))
    }

    /// All shards of a queue as their owner, for a change. Their owner gives them up for it.
    pub(crate) async fn own_all(
        self: &Arc<Self>,
        operation: &'static str,
        def: &QueueDef,
    ) -> Result<Vec<Looked>> {
        let mut all = Vec::new();
        for number in in_order(def) {
            let stripe = stripe_of(def.queue, number);
            if self.owner.open_own(def.queue, number).await?.is_some() {
                self.owner.listen(&[stripe]).await?;
            }
            let opened = self.owner.open(def.queue, number, HANDOVER_MAX).await?;
            let opened = opened.ok_or_else(|| kept(operation))?;
            if let Some(shard) = opened.shard.as_ref() {
                shard.in_flight_writes.all_completed().await;
            }
            let mut looked = Looked::Own(opened);
            self.catch_up(def, number, &mut looked).await?;
            if let Some(shard) = looked.shard_mut() {
                shard.read_all(self.now()).await?;
            }
            all.push((number, looked));
        }
        Ok(by_number(all))
    }

    /// After a change: who does not live here keeps no stripe.
    pub(crate) async fn leave(&self) {
        if !self.consumer_session.is_resident() {
            // What fails is given up when this process is idle, or taken for dead.
            let _ = self.owner.give_up_all().await;
        }
        self.owner.changed.notify_waiters();
    }
}

/// The shards of a queue in the order of their stripes, which is that of everybody who wants
/// several: no two can each hold what the other waits for.
fn in_order(def: &QueueDef) -> Vec<i32> {
    let mut all: Vec<_> = (0..def.shards).collect();
    all.sort_by_key(|number| stripe_of(def.queue, *number));
    all
}

fn by_number(mut all: Vec<(i32, Looked)>) -> Vec<Looked> {
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, looked)| looked).collect()
}

fn kept(operation: &'static str) -> StoreError {
    let words = "the process that works on this queue did not hand it over in time; try again";
    StoreError::new(StoreErrorKind::Conflict, operation, words).retry_after(Duration::from_secs(1))
}

impl Shard {
    /// What operators see of some messages; those whose row is gone are left out.
    pub(crate) async fn views(&self, ids: &[Uuid], now: Timestamp) -> Result<Vec<StoredMessage>> {
        let entries = ids.iter().filter_map(|id| self.index.entries.get(id));
        let views = entries.map(|entry| async move {
            let raw = self.raw_of(entry).await?;
            Ok::<_, StoreError>(raw.map(|raw| entry.view(&raw, now)))
        });
        Ok(try_join_all(views).await?.into_iter().flatten().collect())
    }
}
