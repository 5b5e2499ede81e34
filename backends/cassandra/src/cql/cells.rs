//! Which cell belongs to which data centre.
//!
//! A cell is one data centre's part of the store. `LOCAL_SERIAL` decides in each data centre for
//! itself, so two of them on one cell would hand out the same messages, without a word. Therefore
//! a cell is registered for a data centre before it is worked, once and for good, by a lightweight
//! transaction of all data centres (`SERIAL`); what has been registered is read nearby.

use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use scylla::statement::unprepared::Statement;
use scylla::statement::{Consistency, SerialConsistency};
use tokio::time::sleep;
use uuid::Uuid;

use crate::config::{Config, misconfigured};
use crate::cql::data_centre::DataCentre;
use crate::cql::driver::Driver;
use crate::cql::migrate::{one, run};
use crate::error::{failed, unexpected_reply};
use crate::store::deadline_exceeded;

/// How often a registration that others got in the way of is tried.
const REGISTER_TRIES: u32 = 5;

/// Maximum numbers tried for a data centre that has none yet.
const TRIED_MAX: usize = 64;

/// The cell to work in: that of the URL if it is this data centre's, else the lowest that is
/// registered for it, else the lowest that is free. One is registered only where opening may
/// create, within `timeout`; in one that is not registered there is nothing.
pub(crate) async fn of(
    driver: &Driver,
    config: &Config,
    here: &DataCentre,
    create: bool,
    timeout: Duration,
) -> Result<i16> {
    let cells = Cells {
        driver,
        ks: &config.keyspace,
        dc: &here.name,
    };
    let registered = cells.registered(config.cell).await?;
    match registered {
        Some(cell) => Ok(cell),
        None if !create => Err(cells.nothing(config.cell)),
        None => {
            let registering = cells.register_one(config.cell);
            let registered = tokio::time::timeout(timeout, registering).await;
            registered.unwrap_or_else(|_| Err(cells.apart(deadline_exceeded("open", timeout))))
        }
    }
}

struct Cells<'a> {
    driver: &'a Driver,
    ks: &'a str,
    dc: &'a str,
}

impl Cells<'_> {
    /// The cell to work in, if it is registered.
    async fn registered(&self, wanted: Option<i16>) -> Result<Option<i16>> {
        if let Some(cell) = wanted {
            let whose = self.known(cell, Consistency::LocalQuorum).await?;
            return whose.map(|whose| self.own(cell, &whose)).transpose();
        }
        let all = self.all().await?;
        let own = all.into_iter().find(|(_, dc)| dc == self.dc);
        Ok(own.map(|(cell, _)| cell))
    }

    /// Registers the cell that is wanted, or the lowest that is free.
    async fn register_one(&self, wanted: Option<i16>) -> Result<i16> {
        if let Some(cell) = wanted {
            let whose = self.register(cell).await?;
            return self.own(cell, &whose);
        }
        let mut registered = self.all().await?;
        for _ in 0..TRIED_MAX {
            let is_free = |cell: &i16| registered.iter().all(|(known, _)| known != cell);
            let free = (0..i16::MAX).find(is_free);
            let cell = free.ok_or_else(|| misconfigured("every cell is registered"))?;
            let whose = self.register(cell).await?;
            if whose == self.dc {
                return Ok(cell);
            }
            registered.push((cell, whose));
        }
        Err(misconfigured(
            "other data centres register cells all the time; say with cell which one is here",
        ))
    }

    /// Nothing was ever stored in a cell that is not registered.
    fn nothing(&self, wanted: Option<i16>) -> StoreError {
        let (ks, dc) = (self.ks, self.dc);
        let what = match wanted {
            Some(cell) => format!("cell {cell}"),
            None => "no cell".to_owned(),
        };
        let is = if wanted.is_some() { "is not" } else { "is" };
        let words = format!(
            "{what} of keyspace {ks} {is} registered for data centre {dc}, so nothing is stored \
             there; `longshore schema apply` registers it"
        );
        StoreError::new(StoreErrorKind::NotFound, "open", words)
    }

    /// Refuses a cell of another data centre.
    fn own(&self, cell: i16, whose: &str) -> Result<i16> {
        if whose == self.dc {
            return Ok(cell);
        }
        Err(misconfigured(format!(
            "cell {cell} belongs to data centre {whose}, and this one is {}; leave cell out of the \
             URL to work its own",
            self.dc
        )))
    }

    /// Whose a cell is, as far as it is registered.
    async fn known(&self, cell: i16, consistency: Consistency) -> Result<Option<String>> {
        let ask = format!(
            "SELECT dc FROM {}.cell WHERE name = 'cells' AND cell = {cell}",
            self.ks
        );
        let mut ask = Statement::new(ask);
        ask.set_consistency(consistency);
        let row = one::<(Option<String>,)>(self.driver, ask).await?;
        Ok(row.and_then(|(dc,)| dc))
    }

    /// Registers a free cell, and answers whose it is then.
    async fn register(&self, cell: i16) -> Result<String> {
        let insert = format!(
            "INSERT INTO {}.cell (name, cell, dc, incarnation) VALUES ('cells', {cell}, '{}', {}) \
             IF NOT EXISTS",
            self.ks,
            self.dc.replace('\'', "''"),
            Uuid::from_u128(fastrand::u128(..))
        );
        let mut insert = Statement::new(insert);
        insert.set_serial_consistency(Some(SerialConsistency::Serial));
        let mut tried = 0;
        loop {
            let written = run(self.driver, insert.clone()).await;
            // Whichever process was first. A transaction of unknown outcome is finished by the
            // serial read, and several that start at once get in each other's way.
            let whose = self.known(cell, Consistency::Serial).await;
            let error = match (whose, written) {
                (Ok(Some(whose)), _) => return Ok(whose),
                (Ok(None), Ok(())) => {
                    unexpected_reply("open", &"a cell that was just registered is not")
                }
                (Ok(None), Err(error)) | (Err(error), _) => error,
            };
            tried += 1;
            if tried == REGISTER_TRIES {
                return Err(self.apart(error));
            }
            sleep(Duration::from_millis(fastrand::u64(20..200))).await;
        }
    }

    /// All that are registered, in order.
    async fn all(&self) -> Result<Vec<(i16, String)>> {
        let ask = format!("SELECT cell, dc FROM {}.cell WHERE name = 'cells'", self.ks);
        let answer = self.driver.query(ask).await;
        let answer = answer.map_err(|error| failed("open", error))?;
        let rows = answer
            .into_rows_result()
            .map_err(|error| unexpected_reply("open", &error))?;
        let rows = rows
            .rows::<(i16, Option<String>)>()
            .map_err(|error| unexpected_reply("open", &error))?;
        let mut all = Vec::new();
        for row in rows {
            let (cell, dc) = row.map_err(|error| unexpected_reply("open", &error))?;
            all.extend(dc.map(|dc| (cell, dc)));
        }
        Ok(all)
    }

    /// The first time needs a majority of all data centres.
    fn apart(&self, error: StoreError) -> StoreError {
        let words = format!(
            "the cell of data centre {} could not be registered, which takes a majority of all \
             copies in all data centres, once: {}",
            self.dc,
            error.message()
        );
        StoreError::new(error.kind(), "open", words).caused_by(error)
    }
}
