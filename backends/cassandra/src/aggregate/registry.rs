//! The aggregates of a cell by name, with the shards that this process works with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use longshore_core::{AggregateName, Clock, EpochShard, Result};
use uuid::Uuid;

use crate::aggregate::bounds::Bounds;
use crate::aggregate::log::Log;
use crate::aggregate::peers::Peers;
use crate::aggregate::sharded::Sharded;
use crate::aggregate::storage::{LogId, LogStorage};
use crate::aggregate::submit::SharedLog;
use crate::cql::aggregate_catalog::{AggregateCatalog, AggregateDef};

/// The aggregates that this process has met.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(super) catalog: AggregateCatalog,
    pub(super) peers: Peers,
    storage: Arc<dyn LogStorage>,
    clock: Arc<dyn Clock>,
    /// How many shards an aggregate gets that is made here.
    shards: i16,
    met: Mutex<HashMap<AggregateName, Arc<Sharded>>>,
}

impl Registry {
    pub(crate) fn new(
        catalog: AggregateCatalog,
        storage: Arc<dyn LogStorage>,
        clock: Arc<dyn Clock>,
        shards: i16,
    ) -> Self {
        Self {
            peers: Peers::new(catalog.clone()),
            catalog,
            storage,
            clock,
            shards,
            met: Mutex::default(),
        }
    }

    /// An aggregate, if there is one of that name. There is from its first part on, for good.
    pub(super) async fn get(&self, name: &AggregateName) -> Result<Option<Arc<Sharded>>> {
        if let Some(met) = self.met(name) {
            return Ok(Some(met));
        }
        let def = self.catalog.get(name).await?;
        Ok(def.map(|def| self.meet(name, &def)))
    }

    /// An aggregate, if there is one of that name here or in another cell, which may hold parts for
    /// this one.
    pub(super) async fn get_here_or_there(
        &self,
        name: &AggregateName,
    ) -> Result<Option<Arc<Sharded>>> {
        if let Some(known) = self.get(name).await? {
            return Ok(Some(known));
        }
        match self.peers.any(name).await? {
            Some(_) => self.get_or_create(name).await.map(Some),
            None => Ok(None),
        }
    }

    /// An aggregate, made if there is none of that name.
    pub(super) async fn get_or_create(&self, name: &AggregateName) -> Result<Arc<Sharded>> {
        if let Some(known) = self.get(name).await? {
            return Ok(known);
        }
        // Shards of all cells belong together one by one.
        let peer = self.peers.any(name).await?;
        let now = self.clock.now().as_millis();
        let new = AggregateDef {
            id: Uuid::from_u128(fastrand::u128(..)),
            generation: now.max(0),
            shards: peer.map_or(self.shards, |peer| peer.shards).max(1),
        };
        let def = self.catalog.get_or_create(name, new).await?;
        Ok(self.meet(name, &def))
    }

    /// Those behind a name, by name; at most so many.
    pub(super) async fn behind(&self, after: &str, max: usize) -> Result<Vec<Arc<Sharded>>> {
        let found = self.catalog.behind(after, max).await?;
        let met = found.iter().map(|(name, def)| self.meet(name, def));
        Ok(met.collect())
    }

    fn met(&self, name: &AggregateName) -> Option<Arc<Sharded>> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.get(name).cloned()
    }

    fn meet(&self, name: &AggregateName, def: &AggregateDef) -> Arc<Sharded> {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = met.entry(name.clone());
        entry
            .or_insert_with(|| Arc::new(self.open(name, def)))
            .clone()
    }

    fn open(&self, name: &AggregateName, def: &AggregateDef) -> Sharded {
        let shards = (0..def.shards).map(|shard| {
            SharedLog::new(Log {
                storage: self.storage.clone(),
                clock: self.clock.clone(),
                id: LogId {
                    aggregate: def.id,
                    shard,
                },
                name: name.clone(),
                generation: u64::try_from(def.generation).unwrap_or(0),
                shard: EpochShard {
                    index: u64::try_from(shard).unwrap_or(0),
                    of: u64::try_from(def.shards).unwrap_or(1),
                },
                bounds: Bounds::USUAL,
            })
        });
        Sharded {
            here: self.catalog.cell,
            name: name.clone(),
            shards: shards.collect(),
        }
    }
}
