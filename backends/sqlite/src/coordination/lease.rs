//! Named leases.

use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::check_lease;
use longshore_core::{LeaseName, LeaseStore, NamedLease, Result, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::clock::moment::Moment;
use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::rows::message::time;
use crate::store::SqliteStore;

/// The row of a lease. A released one has no holder and ended in 1970.
#[derive(Clone, Debug)]
struct Held {
    holder: String,
    epoch: i64,
    until: Timestamp,
    released: bool,
}

impl Held {
    fn find(conn: &Connection, name: &LeaseName) -> Outcome<Option<Self>> {
        Ok(conn
            .prepare_cached("SELECT holder, epoch, until FROM lease WHERE name = ?1")?
            .query_row([name.as_str()], |row| {
                let until: i64 = row.get(2)?;
                Ok(Self {
                    holder: row.get(0)?,
                    epoch: row.get(1)?,
                    until: time(until),
                    released: until < 0,
                })
            })
            .optional()?)
    }

    fn runs(&self, now: Moment) -> bool {
        !self.released && self.until > now.lease
    }

    fn is_of(&self, lease: &NamedLease) -> bool {
        !self.released && self.epoch as u64 == lease.epoch && self.holder == lease.holder
    }

    fn lease(self, name: &LeaseName, now: Moment) -> NamedLease {
        NamedLease {
            name: name.clone(),
            holder: self.holder,
            epoch: self.epoch as u64,
            until: now.by_wall(self.until),
        }
    }
}

/// Whether a lease is still the current one, perhaps past its end.
pub(crate) fn is_current(tx: &Tx<'_>, lease: &NamedLease) -> Outcome<bool> {
    Ok(Held::find(tx.conn(), &lease.name)?.is_some_and(|held| held.is_of(lease)))
}

fn acquire(
    tx: &Tx<'_>,
    name: &LeaseName,
    holder: &str,
    ttl: Duration,
) -> Outcome<Option<NamedLease>> {
    let before = Held::find(tx.conn(), name)?;
    let epoch = match &before {
        Some(held) if held.runs(tx.moment) && held.holder != holder => return Ok(None),
        Some(held) if held.runs(tx.moment) => held.epoch,
        Some(held) => held.epoch + 1,
        None => 1,
    };
    let until = tx.moment.lease_for(ttl);
    tx.sql("INSERT OR REPLACE INTO lease (name, holder, epoch, until) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![name.as_str(), holder, epoch, until.as_millis()])?;
    Ok(Some(NamedLease {
        name: name.clone(),
        holder: holder.to_owned(),
        epoch: epoch as u64,
        until: tx.moment.by_wall(until),
    }))
}

/// Sets the end of a lease that is still current; a negative end marks it as released.
fn set_end(tx: &Tx<'_>, lease: &NamedLease, until: i64) -> Outcome<bool> {
    if !is_current(tx, lease)? {
        return Ok(false);
    }
    tx.sql("UPDATE lease SET until = ?2 WHERE name = ?1")?
        .execute(params![lease.name.as_str(), until])?;
    Ok(true)
}

#[async_trait]
impl LeaseStore for SqliteStore {
    async fn acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<NamedLease>> {
        check_lease("acquire", ttl)?;
        let (name, holder) = (name.clone(), holder.to_owned());
        self.write("acquire", move |tx| acquire(tx, &name, &holder, ttl))
            .await
    }

    async fn renew(&self, lease: &NamedLease, ttl: Duration) -> Result<Option<NamedLease>> {
        check_lease("renew", ttl)?;
        let lease = lease.clone();
        self.write("renew", move |tx| {
            let until = tx.moment.lease_for(ttl);
            let renewed = set_end(tx, &lease, until.as_millis())?;
            Ok(renewed.then(|| NamedLease {
                until: tx.moment.by_wall(until),
                ..lease.clone()
            }))
        })
        .await
    }

    async fn release(&self, lease: &NamedLease) -> Result<()> {
        let lease = lease.clone();
        self.write("release", move |tx| set_end(tx, &lease, -1).map(drop))
            .await
    }

    async fn current(&self, name: &LeaseName) -> Result<Option<NamedLease>> {
        let (name, now) = (name.clone(), self.now());
        self.read("current", move |conn| {
            let held = Held::find(conn, &name)?.filter(|held| held.runs(now));
            Ok(held.map(|held| held.lease(&name, now)))
        })
        .await
    }
}
