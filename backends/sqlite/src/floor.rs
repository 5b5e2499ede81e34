//! The raw floor of SQLite: a table of bodies, claimed and deleted by the bare driver.
//!
//! It is the least that competing workers need: one table, a unique id so that a message can be
//! named, an index that finds the next one. No fence, no counts, no groups, no history. Workers
//! take turns through a lock file, as separate processes must, which is faster than SQLite's own
//! polling. The settings of the connections are those of the store.

use std::fs::OpenOptions;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use longshore_core::{Floor, FloorReport, FloorSpec, Result, StoreError, StoreErrorKind, StoreUrl};
use rusqlite::{Connection, TransactionBehavior};

use crate::config::{Config, Durability};
use crate::database::connect;
use crate::error::sql;
use crate::file::lock::{SideLock, private};

/// What a store in one SQLite file cannot be faster than.
#[derive(Debug)]
pub(crate) struct SqliteFloor {
    path: PathBuf,
    durability: Durability,
}

/// The floor of a `sqlite://` URL, measured in a file beside the one it names.
pub(crate) fn floor(url: &StoreUrl) -> Result<Arc<dyn Floor>> {
    let config = Config::of(url, &longshore_core::OpenOptions::default())?;
    let mut path = config.path.into_os_string();
    path.push("-floor");
    Ok(Arc::new(SqliteFloor {
        path: path.into(),
        durability: config.durability,
    }))
}

#[async_trait]
impl Floor for SqliteFloor {
    async fn measure(&self, spec: FloorSpec) -> Result<FloorReport> {
        let (path, durability) = (self.path.clone(), self.durability);
        let measured = tokio::task::spawn_blocking(move || run(path, durability, spec)).await;
        measured.map_err(|_| failed("its thread panicked"))?
    }
}

fn run(path: PathBuf, durability: Durability, spec: FloorSpec) -> Result<FloorReport> {
    let file = Scratch::create(path)?;
    let workers = spec.workers.get();
    let connections = connections(&file.0, durability, workers);
    let connections = connections.map_err(|error| sql("bench", error))?;
    let mut hands = hands(&file.0, connections)?;
    let enqueue = timed(&mut hands, |worker, hand| {
        insert(hand, spec, share(spec, worker), share(spec, worker + 1))
    })?;
    let receive_settle = timed(&mut hands, |_, hand| {
        while claim_and_delete(hand, spec.batch)? > 0 {}
        Ok(())
    })?;
    Ok(FloorReport {
        enqueue,
        receive_settle,
    })
}

/// What one worker has: a connection and a lock handle of its own, as a process would.
struct Hand {
    conn: Connection,
    lock: SideLock,
}

fn hands(path: &Path, connections: Vec<Connection>) -> Result<Vec<Hand>> {
    let mut lock = path.as_os_str().to_owned();
    lock.push("-lock");
    let hand = |conn| match SideLock::open(Path::new(&lock)) {
        Ok(lock) => Ok(Hand { conn, lock }),
        Err(error) => Err(failed(&format!("its lock file cannot be made: {error}"))),
    };
    connections.into_iter().map(hand).collect()
}

fn connections(
    path: &Path,
    durability: Durability,
    count: u32,
) -> rusqlite::Result<Vec<Connection>> {
    let first = connect::writer(path, durability)?;
    first.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    first.execute_batch(
        "CREATE TABLE raw (
           seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, until INTEGER, body BLOB NOT NULL
         ) STRICT;
         CREATE INDEX raw_next ON raw (until);",
    )?;
    grow_wal(&first)?;
    let others = (1..count).map(|_| connect::writer(path, durability));
    std::iter::once(Ok(first)).chain(others).collect()
}

/// Lets the WAL reach the size it has in a store that has run for a while: as long as it grows
/// each sync also writes the new size of the file, which can take ten times as long.
fn grow_wal(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "CREATE TABLE grown (page BLOB NOT NULL) STRICT;
         WITH RECURSIVE pages (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM pages WHERE n < 2000)
         INSERT INTO grown SELECT zeroblob(4000) FROM pages;
         DROP TABLE grown;",
    )
}

/// How long all workers together take, each on its own connection and thread.
fn timed(
    hands: &mut [Hand],
    work: impl Fn(u64, &mut Hand) -> Result<()> + Sync,
) -> Result<Duration> {
    let (start, work) = (Instant::now(), &work);
    let outcome = std::thread::scope(|scope| {
        let workers = (0..).zip(hands);
        let threads: Vec<ScopedJoinHandle<'_, _>> = workers
            .map(|(worker, hand)| scope.spawn(move || work(worker, hand)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(outcome) => outcome,
                Err(_) => Err(failed("a worker thread panicked")),
            })
    });
    outcome.map(|()| start.elapsed())
}

/// The first message of a worker's share.
fn share(spec: FloorSpec, worker: u64) -> u64 {
    spec.messages * worker / u64::from(spec.workers.get())
}

fn insert(hand: &mut Hand, spec: FloorSpec, from: u64, to: u64) -> Result<()> {
    let mut next = from;
    while next < to {
        let end = to.min(next + u64::from(spec.enqueue_batch.get()));
        let rows: Vec<_> = (next..end)
            .map(|number| row(number, spec.body_bytes))
            .collect();
        in_turn(hand, |conn| {
            let mut insert = conn.prepare_cached("INSERT INTO raw (id, body) VALUES (?1, ?2)")?;
            rows.iter()
                .try_for_each(|(id, body)| insert.execute((id, body)).map(drop))
        })?;
        next = end;
    }
    Ok(())
}

/// An id of 16 bytes that rises with the number, and a body.
fn row(number: u64, body_bytes: usize) -> ([u8; 16], Vec<u8>) {
    (u128::from(number).to_be_bytes(), vec![b'x'; body_bytes])
}

/// Claims a batch in one transaction and deletes it in the next, as any queue must; answers how
/// many there were.
fn claim_and_delete(hand: &mut Hand, batch: NonZeroU32) -> Result<usize> {
    let claimed: Vec<(i64, Vec<u8>)> = in_turn(hand, |conn| {
        let mut claim = conn.prepare_cached(
            "UPDATE raw SET until = 1 WHERE seq IN
               (SELECT seq FROM raw WHERE until IS NULL ORDER BY seq LIMIT ?1)
             RETURNING seq, body",
        )?;
        claim
            .query_map([batch.get()], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    })?;
    if !claimed.is_empty() {
        in_turn(hand, |conn| {
            let mut delete = conn.prepare_cached("DELETE FROM raw WHERE seq = ?1")?;
            claimed
                .iter()
                .try_for_each(|(seq, _)| delete.execute([seq]).map(drop))
        })?;
    }
    Ok(claimed.len())
}

fn in_turn<T>(hand: &mut Hand, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
    let turn = hand.lock.take();
    let _turn =
        turn.map_err(|error| failed(&format!("its lock file cannot be locked: {error}")))?;
    let conn = &mut hand.conn;
    let in_transaction = || {
        let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    };
    in_transaction().map_err(|error| sql("bench", error))
}

fn failed(what: &str) -> StoreError {
    let message = format!("the raw floor could not be measured: {what}");
    StoreError::new(StoreErrorKind::Unexpected, "bench", message)
}

/// A database file that goes away with all its companions.
struct Scratch(PathBuf);

impl Scratch {
    /// Never takes over a file that is there already.
    fn create(path: PathBuf) -> Result<Self> {
        let created = private(&mut OpenOptions::new())
            .write(true)
            .create_new(true)
            .open(&path);
        match created {
            Ok(_) => Ok(Self(path)),
            Err(error) => Err(failed(&format!("its scratch file cannot be made: {error}"))),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-lock"] {
            let mut name = self.0.clone().into_os_string();
            name.push(suffix);
            // What is not there need not be removed; what cannot be is in the way of nobody.
            let _ = std::fs::remove_file(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(messages: u64, batch: u32, workers: u32) -> FloorSpec {
        FloorSpec {
            messages,
            body_bytes: 256,
            enqueue_batch: NonZeroU32::new(batch).unwrap(),
            batch: NonZeroU32::new(batch).unwrap(),
            workers: NonZeroU32::new(workers).unwrap(),
        }
    }

    #[test]
    fn every_message_is_inserted_once_and_claimed_once() {
        let home = tempfile::tempdir().unwrap();
        let file = Scratch::create(home.path().join("raw")).unwrap();
        let connections = connections(&file.0, Durability::Normal, 2).unwrap();
        let mut hands = hands(&file.0, connections).unwrap();
        let spec = spec(101, 10, 2);
        timed(&mut hands, |worker, hand| {
            insert(hand, spec, share(spec, worker), share(spec, worker + 1))
        })
        .unwrap();
        let hand = &mut hands[0];
        let conn = &hand.conn;
        let count = "SELECT count(*), sum(length(body)) FROM raw";
        let stored: (i64, i64) = conn
            .query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(stored, (101, 101 * 256));
        let mut claimed = 0;
        while let more @ 1.. = claim_and_delete(hand, spec.batch).unwrap() {
            claimed += more;
        }
        assert_eq!(claimed, 101);
    }

    #[tokio::test]
    async fn it_leaves_nothing_behind_and_takes_over_nothing() {
        let home = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/queue.db?sync=normal", home.path().display());
        let floor = floor(&url.parse().unwrap()).unwrap();
        let report = floor.measure(spec(100, 32, 2)).await.unwrap();
        assert!(report.enqueue > Duration::ZERO && report.receive_settle > Duration::ZERO);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
        std::fs::write(home.path().join("queue.db-floor"), "mine").unwrap();
        assert!(floor.measure(spec(1, 1, 1)).await.is_err());
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
