//! Whether the numbers of a queue are those of its rows.
//!
//! A message is one row here, in one state, so nothing can be in two of them. What can be wrong is
//! what a queue's row says of the others: after a restore of single tables, or by a hand in the
//! file.

use async_trait::async_trait;
use longshore_core::{Census, Finding, Fsck, QueueName, Result, Severity, Timestamp};
use rusqlite::{Connection, params};

use crate::clock::moment::Moment;
use crate::error::Outcome;
use crate::rows::queue::QueueRow;
use crate::rows::state::{BACKOFF, Count, DELAYED, LEASED};
use crate::store::SqliteStore;

#[async_trait]
impl Fsck for SqliteStore {
    async fn fsck(&self, queue: &QueueName, repair: bool) -> Result<Option<Census>> {
        let (name, now) = (queue.clone(), self.now());
        if !repair {
            return self
                .read("fsck", move |conn| {
                    let Some(row) = QueueRow::find(conn, &name)? else {
                        return Ok(None);
                    };
                    census(conn, &row, now).map(Some)
                })
                .await;
        }
        self.write("fsck", move |tx| {
            let Some(row) = QueueRow::find(tx.conn(), &name)? else {
                return Ok(None);
            };
            let mut census = census(tx.conn(), &row, now)?;
            if let Some(finding) = census.findings.first_mut() {
                let found = counted(tx.conn(), row.number)?;
                tx.sql(
                    "UPDATE queue SET waiting = ?2, delayed = ?3, leased = ?4, dead = ?5
                     WHERE queue = ?1",
                )?
                .execute(params![row.number, found[0], found[1], found[2], found[3]])?;
                finding.severity = Severity::Warning;
                finding.fix = String::new();
                census.repaired = 1;
            }
            Ok(Some(census))
        })
        .await
    }
}

/// The messages of a queue by their state, and whether its row says the same.
fn census(conn: &Connection, row: &QueueRow, now: Moment) -> Outcome<Census> {
    let [waiting, delayed, leased, dead] = counted(conn, row.number)?;
    let mut census = Census::default();
    let due =
        until(conn, row.number, BACKOFF, now.wall)? + until(conn, row.number, DELAYED, now.wall)?;
    let lapsed = until(conn, row.number, LEASED, now.lease)?;
    census.waiting = (waiting + due + lapsed) as u64;
    census.delayed = (delayed - due) as u64;
    census.leased = (leased - lapsed) as u64;
    census.dead = dead as u64;
    census
        .findings
        .extend(of_counters(row, [waiting, delayed, leased, dead]));
    Ok(census)
}

/// What is wrong with the numbers in a queue's row, if anything.
pub(crate) fn wrong_counters(conn: &Connection, queue: &QueueName) -> Outcome<Option<Finding>> {
    let Some(row) = QueueRow::find(conn, queue)? else {
        return Ok(None);
    };
    let found = counted(conn, row.number)?;
    Ok(of_counters(&row, found).map(|mut finding| {
        finding.check = format!("counters of {queue}");
        finding.fix = format!("longshore fsck {queue} --repair");
        finding
    }))
}

fn of_counters(row: &QueueRow, found: [i64; 4]) -> Option<Finding> {
    let kept = [row.waiting, row.delayed, row.leased, row.dead];
    let names = ["waiting", "delayed", "leased", "dead"];
    let differ: Vec<_> = names
        .iter()
        .zip(kept.iter().zip(found))
        .filter(|(_, (kept, found))| **kept != *found)
        .map(|(name, (kept, found))| format!("{name} says {kept}, {found} are there"))
        .collect();
    if differ.is_empty() {
        return None;
    }
    let found = format!("its counters are wrong: {}", differ.join("; "));
    Some(Finding::new(Severity::Problem, "counters", found).fix("run it with --repair"))
}

/// How many rows are in states that count as waiting, delayed, leased and dead.
fn counted(conn: &Connection, queue: i64) -> Outcome<[i64; 4]> {
    let mut statement =
        conn.prepare_cached("SELECT state, count(*) FROM message WHERE queue = ?1 GROUP BY state")?;
    let mut counted = [0; 4];
    let states = statement.query_map([queue], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    })?;
    for state in states {
        let (state, count) = state?;
        let slot = match Count::of(state) {
            Count::Waiting => 0,
            Count::Delayed => 1,
            Count::Leased => 2,
            Count::Dead => 3,
        };
        counted[slot] += count;
    }
    Ok(counted)
}

fn until(conn: &Connection, queue: i64, state: i64, now: Timestamp) -> Outcome<i64> {
    let mut statement = conn.prepare_cached(
        "SELECT count(*) FROM message WHERE queue = ?1 AND state = ?2 AND at <= ?3",
    )?;
    Ok(statement.query_row([queue, state, now.as_millis()], |row| row.get(0))?)
}
