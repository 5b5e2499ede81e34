//! Tests of `writer`.

use super::*;
use crate::clock::SystemClock;
use crate::file::space::RoomProbe;
use longshore_core::Result;
use tokio::sync::oneshot::Receiver;

fn insert(number: i64) -> (Call, Receiver<Result<()>>) {
    let (call, _, answer) = Call::new("insert", move |tx| {
        tx.sql("INSERT INTO t VALUES (?1)")?.execute([number])?;
        Ok(())
    });
    (call, answer)
}

/// A call that ends the transaction of all, as SQLite does when a disk is full.
fn wrecker() -> (Call, Receiver<Result<()>>) {
    let (call, _, answer) = Call::new("wreck", |tx| {
        tx.conn().execute_batch("ROLLBACK")?;
        Err(tx.refusal(StoreErrorKind::Overloaded, "wrecked").into())
    });
    (call, answer)
}

fn run(calls: Vec<Call>) -> Vec<i64> {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch("CREATE TABLE t (x)").unwrap();
    let space = Space::new(Path::new("."), RoomProbe::default());
    let (line, mut waiting) = mpsc::channel(8);
    let mut calls = calls.into_iter();
    let first = calls.next().unwrap();
    calls.for_each(|call| line.try_send(call).unwrap());
    let round = Round {
        conn: &conn,
        clocks: &Clocks::new(Arc::new(SystemClock), None),
        space: &space,
    };
    round.begin().unwrap();
    round.fill(first, &mut waiting).answer();
    assert!(conn.is_autocommit());
    let mut statement = conn.prepare("SELECT x FROM t ORDER BY x").unwrap();
    let rows = statement.query_map((), |row| row.get(0)).unwrap();
    rows.map(rusqlite::Result::unwrap).collect()
}

#[test]
fn a_call_that_wrecks_the_transaction_fails_alone() {
    let (one, mut answer_one) = insert(1);
    let (wreck, mut wrecked) = wrecker();
    let (two, mut answer_two) = insert(2);
    assert_eq!(run(vec![one, wreck, two]), [1]);
    assert!(answer_one.try_recv().unwrap().is_ok());
    let error = wrecked.try_recv().unwrap().unwrap_err();
    assert_eq!(error.effect(), longshore_core::Effect::NotApplied);
    assert!(answer_two.try_recv().is_err(), "its turn comes later");
}

#[test]
fn a_call_that_was_given_up_is_not_run() {
    let (one, _answer) = insert(1);
    let (two, claim, _answer) = Call::new("insert", |tx| {
        tx.sql("INSERT INTO t VALUES (2)")?.execute(())?;
        Ok(())
    });
    assert!(claim.abandon());
    assert_eq!(run(vec![one, two]), [1]);
    let (three, claim, _answer) = Call::new("insert", |tx| {
        tx.sql("INSERT INTO t VALUES (3)")?.execute(())?;
        Ok(())
    });
    assert_eq!(run(vec![three]), [3]);
    assert!(!claim.abandon(), "what was started is not given up");
}
