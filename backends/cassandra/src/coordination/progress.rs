//! Progress of intakes, fenced by the epoch of their lease in one transaction.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::validate::check_count;
use longshore_core::{Cursor, LeaseName, NamedLease, Page, ProgressStore, QueueStore, Result};
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::{Consistency, SerialConsistency};
use scylla::value::CqlValue;

use crate::cql::driver::Values;
use crate::store::CassandraStore;

/// Rows that are wanted for longer than this are kept forever.
const TTL_MAX_S: u64 = 5 * 365 * 86_400;

/// Key, value, and until when it is kept.
type Listed = (String, Option<Bytes>, Option<i64>);

#[async_trait]
impl ProgressStore for CassandraStore {
    async fn load(&self, name: &LeaseName, key: &str) -> Result<Option<Bytes>> {
        let link = self.link();
        let values = (self.cell(), name.as_str(), key);
        let row: Option<(Option<Bytes>, Option<i64>)> =
            link.one("load", &link.statements.progress, values).await?;
        let now = self.now().as_millis();
        Ok(row.and_then(|(value, keep_ms)| {
            let value = value.unwrap_or_default();
            keep_ms.filter(|until| *until > now).map(|_| value)
        }))
    }

    async fn list(
        &self,
        name: &LeaseName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<(String, Bytes)>> {
        let link = self.link();
        let after = after.map_or("", Cursor::as_str);
        let limit = i32::try_from(max.get()).unwrap_or(i32::MAX);
        let values = (self.cell(), name.as_str(), after, limit);
        let rows: Vec<Listed> = link
            .all(
                "list",
                &link.statements.progress_page,
                values,
                |row: Listed| row,
            )
            .await?;
        let is_last = rows.len() < limit as usize;
        let last = rows.last().filter(|_| !is_last);
        let next = last.map(|(key, ..)| Cursor::new(key.clone()));
        let now = self.now().as_millis();
        let live = rows.into_iter().filter_map(|(key, value, keep_ms)| {
            let lives = keep_ms.is_some_and(|until| until > now);
            lives.then(|| (key, value.unwrap_or_default()))
        });
        Ok(Page {
            items: live.collect(),
            next,
        })
    }

    async fn save(
        &self,
        lease: &NamedLease,
        entries: &[(String, Bytes)],
        keep: Duration,
    ) -> Result<bool> {
        check_count("save", entries.len(), &self.limits())?;
        let link = self.link();
        let keep_ms = self.now().plus(keep).as_millis();
        // The row outlives the stored time by a day; what counts is the stored time.
        let ttl = keep.as_secs().saturating_add(86_400);
        let ttl = if ttl > TTL_MAX_S { 0 } else { ttl as i32 };
        let epoch = i64::try_from(lease.epoch).unwrap_or(i64::MAX);
        let cell = CqlValue::SmallInt(self.cell());
        let name = CqlValue::Text(lease.name.as_str().to_owned());
        let mut batch = Batch::new(BatchType::Unlogged);
        batch.set_consistency(Consistency::LocalQuorum);
        batch.set_serial_consistency(Some(SerialConsistency::LocalSerial));
        batch.set_is_idempotent(false);
        batch.append_statement(link.statements.fence_lease.clone());
        let mut values = vec![vec![
            CqlValue::BigInt(epoch),
            cell.clone(),
            name.clone(),
            CqlValue::BigInt(epoch),
            CqlValue::Text(lease.holder.clone()),
            CqlValue::BigInt(0),
        ]];
        for (key, value) in entries {
            batch.append_statement(link.statements.put_progress.clone());
            values.push(vec![
                cell.clone(),
                name.clone(),
                CqlValue::Text(key.clone()),
                CqlValue::Blob(value.to_vec()),
                CqlValue::BigInt(keep_ms),
                CqlValue::Int(ttl),
            ]);
        }
        let values = values.iter().map(|row| row as Values<'_>).collect();
        link.transact_all("save", batch, values).await
    }
}
