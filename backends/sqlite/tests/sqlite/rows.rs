//! What lies in the tables.

use std::fs;
use std::time::Duration;

use crate::scene::{Scene, ack, message, put, queue, take};

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
