//! Workers that announced themselves.

use std::time::Duration;

use longshore_core::WorkerInfo;
use rusqlite::{Connection, params};

use crate::clock::moment::Moment;
use crate::database::transaction::Tx;
use crate::error::Outcome;

/// Announces a worker; a zero `ttl` takes it off the list.
pub(crate) fn announce(tx: &Tx<'_>, worker: &WorkerInfo, ttl: Duration) -> Outcome<()> {
    tx.sql("DELETE FROM worker WHERE until <= ?1 OR id = ?2")?
        .execute(params![tx.moment.lease.as_millis(), worker.id])?;
    if ttl.is_zero() {
        return Ok(());
    }
    let mut seen = worker.clone();
    seen.seen_at = tx.now;
    seen.jobs.truncate(WorkerInfo::JOBS_MAX);
    let info = serde_json::to_string(&seen).unwrap_or_default();
    tx.sql("INSERT INTO worker (id, info, until) VALUES (?1, ?2, ?3)")?
        .execute(params![
            worker.id,
            info,
            tx.moment.lease_for(ttl).as_millis()
        ])?;
    Ok(())
}

/// The workers that did not run out. One that this build cannot read is left out.
pub(crate) fn list(conn: &Connection, now: Moment) -> Outcome<Vec<WorkerInfo>> {
    let mut statement =
        conn.prepare_cached("SELECT info FROM worker WHERE until > ?1 ORDER BY id")?;
    let rows = statement.query_map([now.lease.as_millis()], |row| row.get::<_, String>(0))?;
    let texts: Vec<String> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(texts
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect())
}
