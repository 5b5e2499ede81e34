//! The aggregates of a cell by name.

use std::sync::Arc;

use longshore_core::{AggregateName, Result};
use tokio::time::{Duration, sleep};
use uuid::Uuid;

use crate::cql::queue_catalog::{contended, is_unsettled};
use crate::cql::session::Link;

/// How often a creation that others got in the way of is tried.
const TRIES: u64 = 10;

/// What never changes of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AggregateDef {
    pub(crate) id: Uuid,
    /// When it was made, in ms.
    pub(crate) generation: i64,
    pub(crate) shards: i16,
}

/// The aggregates of a cell.
#[derive(Clone, Debug)]
pub(crate) struct AggregateCatalog {
    pub(crate) link: Arc<Link>,
    pub(crate) cell: i16,
}

type Columns = (Option<Uuid>, Option<i64>, Option<i16>);

impl AggregateDef {
    fn of((id, generation, shards): Columns) -> Option<Self> {
        Some(Self {
            id: id?,
            generation: generation?,
            shards: shards?.max(1),
        })
    }
}

impl AggregateCatalog {
    /// An aggregate, if there is one.
    pub(crate) async fn get(&self, name: &AggregateName) -> Result<Option<AggregateDef>> {
        let statement = &self.link.statements.aggregate;
        let values = (self.cell, name.as_str());
        let row: Option<Columns> = self.link.one("aggregate", statement, values).await?;
        Ok(row.and_then(AggregateDef::of))
    }

    /// An aggregate: the one there is, or else this one.
    pub(crate) async fn get_or_create(
        &self,
        name: &AggregateName,
        new: AggregateDef,
    ) -> Result<AggregateDef> {
        let statements = &self.link.statements;
        for attempt in 0..TRIES {
            sleep(Duration::from_millis(attempt * fastrand::u64(0..20))).await;
            let AggregateDef {
                id,
                generation,
                shards,
            } = new;
            let values = (self.cell, name.as_str(), id, generation, shards);
            let created = self
                .link
                .transact("aggregate", &statements.create_aggregate, values)
                .await;
            match created {
                Ok(true) => return Ok(new),
                Ok(false) => {}
                Err(error) if is_unsettled(&error) => {}
                Err(error) => return Err(error),
            }
            // Whichever process made it.
            let values = (self.cell, name.as_str());
            let read = &statements.aggregate_serial;
            match self.link.one::<Columns>("aggregate", read, values).await {
                Ok(Some(row)) => {
                    if let Some(def) = AggregateDef::of(row) {
                        return Ok(def);
                    }
                }
                Ok(None) => {}
                Err(error) if is_unsettled(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Err(contended())
    }

    /// All cells that are registered, with the data centre of each.
    pub(crate) async fn cells(&self) -> Result<Vec<(i16, String)>> {
        let statement = &self.link.statements.cells;
        let make = |(cell, dc): (i16, Option<String>)| Some((cell, dc?));
        let found = self.link.all("cells", statement, (), make).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Those behind a name, by name; at most so many.
    pub(crate) async fn behind(
        &self,
        after: &str,
        max: usize,
    ) -> Result<Vec<(AggregateName, AggregateDef)>> {
        let statement = &self.link.statements.aggregates;
        let values = (self.cell, after, i32::try_from(max).unwrap_or(i32::MAX));
        let make =
            |(name, id, generation, shards): (String, Option<Uuid>, Option<i64>, Option<i16>)| {
                let def = AggregateDef::of((id, generation, shards))?;
                Some((AggregateName::new(name).ok()?, def))
            };
        let found = self.link.all("aggregates", statement, values, make).await?;
        Ok(found.into_iter().flatten().collect())
    }
}
