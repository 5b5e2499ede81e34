//! Progress of intakes.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::validate::check_count;
use longshore_core::{Cursor, LeaseName, NamedLease, Page, ProgressStore, QueueStore as _, Result};
use rusqlite::{OptionalExtension as _, params};

use crate::coordination::lease::is_current;
use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::store::SqliteStore;

fn save(
    tx: &Tx<'_>,
    lease: &NamedLease,
    entries: &[(String, Bytes)],
    keep: Duration,
) -> Outcome<bool> {
    if !is_current(tx, lease)? {
        return Ok(false);
    }
    let until = tx.now.plus(keep).as_millis();
    for (key, value) in entries {
        tx.sql(
            "INSERT OR REPLACE INTO progress (name, key, value, until) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![lease.name.as_str(), key, &**value, until])?;
    }
    tx.sql(
        "DELETE FROM progress WHERE (name, key) IN
           (SELECT name, key FROM progress WHERE until <= ?1 LIMIT 64)",
    )?
    .execute([tx.now.as_millis()])?;
    Ok(true)
}

#[async_trait]
impl ProgressStore for SqliteStore {
    async fn load(&self, name: &LeaseName, key: &str) -> Result<Option<Bytes>> {
        let (name, key, now) = (name.clone(), key.to_owned(), self.now().wall);
        self.read("load", move |conn| {
            let value: Option<Vec<u8>> = conn
                .prepare_cached(
                    "SELECT value FROM progress WHERE name = ?1 AND key = ?2 AND until > ?3",
                )?
                .query_row(params![name.as_str(), key, now.as_millis()], |row| {
                    row.get(0)
                })
                .optional()?;
            Ok(value.map(Bytes::from))
        })
        .await
    }

    async fn list(
        &self,
        name: &LeaseName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<(String, Bytes)>> {
        let after = after.map_or("", Cursor::as_str).to_owned();
        let (name, now) = (name.clone(), self.now().wall);
        self.read("list", move |conn| {
            let mut statement = conn.prepare_cached(
                "SELECT key, value FROM progress WHERE name = ?1 AND key > ?2 AND until > ?3
                 ORDER BY key LIMIT ?4",
            )?;
            let wanted = i64::from(max.get()) + 1;
            let values = params![name.as_str(), after, now.as_millis(), wanted];
            let rows = statement.query_map(values, |row| {
                Ok((row.get(0)?, Bytes::from(row.get::<_, Vec<u8>>(1)?)))
            })?;
            let mut items: Vec<(String, Bytes)> = rows.collect::<rusqlite::Result<_>>()?;
            let more = items.len() as i64 == wanted;
            items.truncate(max.get() as usize);
            let last = items.last().filter(|_| more);
            let next = last.map(|(key, _)| Cursor::new(key.clone()));
            Ok(Page { items, next })
        })
        .await
    }

    async fn save(
        &self,
        lease: &NamedLease,
        entries: &[(String, Bytes)],
        keep: Duration,
    ) -> Result<bool> {
        check_count("save", entries.len(), &self.limits())?;
        let (lease, entries) = (lease.clone(), entries.to_vec());
        self.write("save", move |tx| save(tx, &lease, &entries, keep))
            .await
    }
}
