//! What lies in the tables.

use std::fs;
use std::time::Duration;

use longshore_core::Enqueued;

use crate::scene::{Scene, ack, message, put, queue, take, waiting};

#[tokio::test]
async fn bodies_can_be_read_with_the_shell() {
    let scene = Scene::new();
    let store = scene.open().await;
    put(&store, "hello").await.unwrap();
    let shell = rusqlite::Connection::open(scene.file()).unwrap();
    let body: String = shell
        .query_row("SELECT CAST(body AS TEXT) FROM message", (), |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(body, "hello");
}

#[tokio::test]
async fn leasing_a_long_body_does_not_write_it_again() {
    let scene = Scene::new();
    let store = scene.open().await;
    let long = vec![7_u8; 900_000];
    let enqueued = store.queues.enqueue(&queue(), &[message(long)]).await;
    enqueued.unwrap();
    let before = fs::metadata(scene.beside("-wal")).unwrap().len();
    let taken = take(&store, 1, Duration::ZERO).await;
    assert_eq!(taken[0].message.body.len(), 900_000);
    let after = fs::metadata(scene.beside("-wal")).unwrap().len();
    assert!(after - before < 100_000, "{} bytes", after - before);
    ack(&store, &taken).await;
}

#[tokio::test]
async fn a_plain_message_leaves_nothing_behind() {
    let scene = Scene::new();
    let store = scene.open().await;
    put(&store, "x").await.unwrap();
    let taken = take(&store, 1, Duration::ZERO).await;
    ack(&store, &taken).await;
    let shell = rusqlite::Connection::open(scene.file()).unwrap();
    for table in ["message", "detail", "known_id", "dedup"] {
        let text = format!("SELECT count(*) FROM {table}");
        let rows: i64 = shell.query_row(&text, (), |row| row.get(0)).unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

/// Plain messages share a statement; each is still judged for itself and in order.
#[tokio::test]
async fn known_ids_in_a_long_batch_are_told_one_by_one() {
    let scene = Scene::new();
    let store = scene.open().await;
    let mut batch: Vec<_> = (0..100).map(|n| message(format!("{n}"))).collect();
    let known = [0, 15, 16, 17, 40, 99];
    let first: Vec<_> = known.iter().map(|n: &usize| batch[*n].clone()).collect();
    store.queues.enqueue(&queue(), &first).await.unwrap();
    // A repeat inside the batch itself is known by then, too.
    batch.insert(60, batch[59].clone());
    let outcomes = store.queues.enqueue(&queue(), &batch).await.unwrap();
    assert_eq!(outcomes.len(), 101);
    for (at, (new, outcome)) in batch.iter().zip(&outcomes).enumerate() {
        let repeat = at == 60 || known.contains(&(if at > 60 { at - 1 } else { at }));
        let expected = if repeat {
            Enqueued::Duplicate { first: new.id }
        } else {
            Enqueued::Stored
        };
        assert_eq!(*outcome, expected, "item {at}");
    }
    assert_eq!(waiting(&store).await, 100);
    let shell = rusqlite::Connection::open(scene.file()).unwrap();
    let rows: i64 = shell
        .query_row("SELECT count(*) FROM message", (), |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 100);
    let bodies = take(&store, 200, Duration::ZERO).await.len();
    assert_eq!(bodies, 100);
}
