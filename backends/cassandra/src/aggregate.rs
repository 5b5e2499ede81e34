//! Aggregates: parts collected under keys, as a replicated log.
//!
//! **Owns** the tables `aggregate_head`, `aggregate_record`, `aggregate_part` and
//! `aggregate_snapshot`: a log for each shard of an aggregate. A record holds calls ([`record`]); what
//! they add up to is the state machine of the core ([`replica`]), of which every process that works
//! with the aggregate has a copy in memory. [`log`] makes records and plays those of others,
//! [`submit`] puts the calls of this process together, [`tidy`] cuts the log off behind snapshots,
//! [`calls`] and [`pages`] cut calls up by shards and put answers together.
//!
//! **Invariant.** The head of a log names one record, each record the one before it; only what is
//! named counts, and the head moves by lightweight transactions alone. So all replicas play the same
//! calls at the same times in the same order, and are the same at every record.
//!
//! **When a process is killed.** Before the head moved: rows that nothing names, which go with their
//! page. After it: the call is made, whether or not its caller was told; parts that are sent again are
//! known by their ids. A page, a snapshot that is half written or half deleted: they are listed in the
//! log until they are gone, and the next process goes on.
//!
//! **Who writes.** Any process of the cell, at any time. There are no owners: two that write at the
//! same time cost each other a try, never an answer.

pub(crate) mod bounds;
mod calls;
pub(crate) mod exchange;
pub(crate) mod homes;
pub(crate) mod log;
mod pages;
mod peers;
pub(crate) mod pull;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod replica;
mod sharded;
pub(crate) mod storage;
pub(crate) mod submit;
mod tidy;
mod waiting;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use longshore_core::validate::{check_count, check_lease, check_parts};
use longshore_core::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateStore, Appends, Changed,
    Cursor, Epoch, EpochChange, EpochInfo, EpochPlace, Fate, NewPart, Page, Part, PartPlace,
    QueueStore as _, Receipt, Result, Settled, StoreLimits, Timestamp, Turn, Turned, Verdict,
};

use crate::aggregate::pages::after_name;
use crate::aggregate::registry::Registry;
use crate::aggregate::sharded::Sharded;
use crate::cql::aggregate_catalog::AggregateCatalog;
use crate::cql::aggregate_logs::Logs;
use crate::store::CassandraStore;

/// The aggregates of a store on a Cassandra cluster.
pub(crate) struct CassandraAggregates {
    store: Arc<CassandraStore>,
    registry: Arc<Registry>,
}

impl CassandraAggregates {
    pub(crate) fn new(store: Arc<CassandraStore>) -> Self {
        let (link, cell) = (store.inner.link.clone(), store.cell());
        let catalog = AggregateCatalog {
            link: link.clone(),
            cell,
        };
        let logs = Arc::new(Logs { link, cell });
        let clock = store.inner.owner.clock.clone();
        let shards = i16::try_from(store.inner.catalog.shards).unwrap_or(i16::MAX);
        let registry = Registry::new(catalog, logs, clock, shards);
        Self {
            store,
            registry: Arc::new(registry),
        }
    }

    fn limits(&self) -> StoreLimits {
        self.store.limits()
    }

    fn now(&self) -> Timestamp {
        self.store.now()
    }

    /// An aggregate, if there is one of that name.
    async fn known(&self, name: &AggregateName) -> Result<Option<Arc<Sharded>>> {
        self.registry.get(name).await
    }
}

#[async_trait]
impl AggregateStore for CassandraAggregates {
    async fn append(
        &self,
        name: &AggregateName,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<Appends> {
        let rules = check_parts("append", rules.clone(), parts, &self.limits())?;
        let call = async {
            let homes = self.registry.peers.homes().await?;
            let aggregate = self.registry.get_or_create(name).await?;
            aggregate.append(&homes, &rules, parts).await
        };
        self.store.within("append", call).await
    }

    async fn turn(&self, name: &AggregateName, turn: Turn) -> Result<Turned> {
        check_lease("turn", turn.lease)?;
        check_count("turn", turn.max.get() as usize, &self.limits())?;
        let call = async {
            match self.registry.get_here_or_there(name).await? {
                Some(aggregate) => {
                    let more = self.registry.peers.pull(&aggregate).await?;
                    let mut turned = aggregate.turn(turn, self.now()).await?;
                    turned.more |= more;
                    Ok(turned)
                }
                None => Ok(Turned::default()),
            }
        };
        self.store.within("turn", call).await
    }

    async fn parts(
        &self,
        name: &AggregateName,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<Part>> {
        let after = after.map(PartPlace::of).transpose()?;
        let call = async {
            match self.known(name).await? {
                Some(aggregate) => aggregate.parts(key, epoch, after, max).await,
                None => Ok(Page::last(Vec::new())),
            }
        };
        self.store.within("parts", call).await
    }

    async fn answer(&self, name: &AggregateName, verdicts: &[Verdict]) -> Result<Vec<Settled>> {
        check_count("answer", verdicts.len(), &self.limits())?;
        let call = async {
            match self.known(name).await? {
                Some(aggregate) => aggregate.answer(verdicts).await,
                None => Ok(vec![Settled::LeaseLost; verdicts.len()]),
            }
        };
        self.store.within("answer", call).await
    }

    async fn finish(
        &self,
        name: &AggregateName,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>> {
        check_count("finish", epochs.len(), &self.limits())?;
        let call = async {
            match self.known(name).await? {
                Some(aggregate) => aggregate.finish(epochs).await,
                None => Ok(vec![Settled::LeaseLost; epochs.len()]),
            }
        };
        self.store.within("finish", call).await
    }

    async fn list(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<AggregateInfo>> {
        let max = max.get() as usize;
        let call = async {
            let mut found = self.registry.behind(after_name(after), max + 1).await?;
            let is_cut = found.len() > max;
            found.truncate(max);
            let mut items = Vec::new();
            for aggregate in found {
                items.push(aggregate.info().await?);
            }
            let last = items.last().filter(|_| is_cut);
            let next = last.map(|info| Cursor::new(info.name.as_str()));
            Ok(Page { items, next })
        };
        self.store.within("list", call).await
    }

    async fn epochs(
        &self,
        name: &AggregateName,
        key: Option<&AggregateKey>,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<EpochInfo>> {
        let after = after.map(EpochPlace::of).transpose()?;
        let call = async {
            match self.known(name).await? {
                Some(aggregate) => {
                    let now = self.now();
                    aggregate.epochs(key, after.as_ref(), max, now).await
                }
                None => Ok(Page::last(Vec::new())),
            }
        };
        self.store.within("epochs", call).await
    }

    async fn change(
        &self,
        name: &AggregateName,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>> {
        check_count("change", epochs.len(), &self.limits())?;
        let call = async {
            match self.known(name).await? {
                Some(aggregate) => aggregate.change(epochs).await,
                None => Ok(vec![Changed::NotFound; epochs.len()]),
            }
        };
        self.store.within("change", call).await
    }
}

impl fmt::Debug for CassandraAggregates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CassandraAggregates")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
