//! The same aggregate in the cells of other data centres.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use longshore_core::{AggregateName, Result};
use tokio::time::Instant;

use crate::aggregate::homes::Homes;
use crate::aggregate::pull::{Peer, Pulled, note_acknowledged};
use crate::aggregate::sharded::Sharded;
use crate::aggregate::storage::LogId;
use crate::cql::aggregate_catalog::{AggregateCatalog, AggregateDef};
use crate::cql::aggregate_logs::Logs;

/// How long it is believed which cells there are, and that a cell does not have an aggregate.
const BELIEVED: Duration = Duration::from_secs(30);

/// When it was read, and what there was.
type Read = (Instant, Option<AggregateDef>);

/// What is known of other cells.
#[derive(Debug)]
pub(crate) struct Peers {
    catalog: AggregateCatalog,
    homes: Mutex<(Option<Instant>, Arc<Homes>)>,
    defs: Mutex<HashMap<(AggregateName, i16), Read>>,
}

impl Peers {
    pub(crate) fn new(catalog: AggregateCatalog) -> Self {
        let alone = Arc::new(Homes::alone(catalog.cell));
        Self {
            catalog,
            homes: Mutex::new((None, alone)),
            defs: Mutex::default(),
        }
    }

    /// Where keys are collected.
    pub(crate) async fn homes(&self) -> Result<Arc<Homes>> {
        let (read_at, known) = self.known();
        if read_at.is_some_and(|at| at.elapsed() < BELIEVED) {
            return Ok(known);
        }
        let homes = match self.catalog.cells().await {
            Ok(cells) => Arc::new(Homes::new(
                self.catalog.cell,
                &self.catalog.link.here.name,
                &cells,
            )),
            // What was known holds on, once it was known: parts are accepted on.
            Err(_) if read_at.is_some() => known,
            Err(error) => return Err(error),
        };
        let mut slot = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = (Some(Instant::now()), homes.clone());
        Ok(homes)
    }

    fn known(&self) -> (Option<Instant>, Arc<Homes>) {
        let known = self.homes.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes what other cells hold for this one. Whether more is to be taken at once.
    pub(crate) async fn pull(&self, of: &Sharded) -> Result<bool> {
        let homes = self.homes().await?;
        let mut peers = Vec::new();
        for cell in homes.others() {
            let Some(def) = self.def(&of.name, cell).await? else {
                continue;
            };
            if usize::try_from(def.shards) != Ok(of.shards.len()) {
                tracing::warn!(aggregate = %of.name, cell, shards = def.shards, here = of.shards.len(), "two data centres have other numbers of shards; the parts of the other one are not taken");
                continue;
            }
            let link = self.catalog.link.clone();
            let storage = Arc::new(Logs { link, cell });
            for (shard, log) in (0..).zip(&of.shards) {
                let id = LogId {
                    aggregate: def.id,
                    shard,
                };
                let storage = storage.clone();
                peers.push((Peer { cell, storage, id }, log));
            }
        }
        if peers.is_empty() {
            return Ok(false);
        }
        let here = self.catalog.cell;
        let pulls = peers.iter().map(|(peer, log)| peer.pull(here, log));
        let mut more = false;
        let acknowledged = of.shards.iter().map(note_acknowledged);
        join_all(acknowledged)
            .await
            .into_iter()
            .collect::<Result<()>>()?;
        for pulled in join_all(pulls).await {
            match pulled {
                Ok(pulled) => more |= pulled == Pulled::More,
                Err(error) => {
                    tracing::debug!(aggregate = %of.name, %error, "parts of another data centre could not be taken; it is tried again");
                }
            }
        }
        Ok(more)
    }

    /// The aggregate as another cell has it, if one has.
    pub(super) async fn any(&self, name: &AggregateName) -> Result<Option<AggregateDef>> {
        let homes = self.homes().await?;
        for cell in homes.others() {
            if let Some(def) = self.def(name, cell).await? {
                return Ok(Some(def));
            }
        }
        Ok(None)
    }

    async fn def(&self, name: &AggregateName, cell: i16) -> Result<Option<AggregateDef>> {
        let key = (name.clone(), cell);
        let known = {
            let defs = self.defs.lock().unwrap_or_else(PoisonError::into_inner);
            defs.get(&key).copied()
        };
        if let Some((at, def)) = known
            && (def.is_some() || at.elapsed() < BELIEVED)
        {
            return Ok(def);
        }
        let link = self.catalog.link.clone();
        let def = AggregateCatalog { link, cell }.get(name).await?;
        let mut defs = self.defs.lock().unwrap_or_else(PoisonError::into_inner);
        defs.insert(key, (Instant::now(), def));
        Ok(def)
    }
}
