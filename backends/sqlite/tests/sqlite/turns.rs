//! Turns between processes, and calls that share a transaction.

use std::fs::File;
use std::time::{Duration, Instant};

use longshore_core::{Effect, SettingsChange, StoreErrorKind};

use crate::scene::{Scene, ack, message, put, queue, take, waiting};

fn hold_turn(scene: &Scene) -> File {
    let lock = File::options()
        .write(true)
        .open(scene.beside("-lock"))
        .unwrap();
    lock.lock().unwrap();
    lock
}

#[tokio::test]
async fn a_stopped_lock_holder_costs_others_no_more_than_their_deadline() {
    let scene = Scene::new();
    let store = scene.try_open("?timeout=300ms").await.unwrap();
    put(&store, "before").await.unwrap();
    let held = hold_turn(&scene);
    let began = Instant::now();
    let error = put(&store, "late").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Timeout);
    assert_eq!(error.effect(), Effect::NotApplied);
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(waiting(&store).await, 1, "reading goes on");
    drop(held);
    put(&store, "after").await.unwrap();
    let bodies: Vec<_> = take(&store, 10, Duration::ZERO).await;
    let bodies: Vec<_> = bodies.iter().map(|one| one.message.body.clone()).collect();
    assert_eq!(bodies, ["before", "after"], "what timed out was never run");
}

#[tokio::test]
async fn a_call_that_is_dropped_before_its_turn_is_not_run() {
    let scene = Scene::new();
    let store = scene.open().await;
    put(&store, "before").await.unwrap();
    let held = hold_turn(&scene);
    let dropped = tokio::time::timeout(Duration::from_millis(50), take(&store, 1, Duration::ZERO));
    assert!(dropped.await.is_err());
    drop(held);
    assert_eq!(take(&store, 1, Duration::ZERO).await.len(), 1);
}

#[tokio::test]
async fn calls_that_share_a_transaction_fail_alone() {
    let scene = Scene::new();
    let store = scene.open().await;
    let change = SettingsChange {
        author: "a test".to_owned(),
        depth_max: Some(50),
        ..SettingsChange::default()
    };
    store.admin.configure(&queue(), &change).await.unwrap();
    let held = hold_turn(&scene);
    let calls: Vec<_> = (0..20)
        .map(|call| {
            let store = store.clone();
            tokio::spawn(async move {
                let batch: Vec<_> = (0..if call % 5 == 3 { 60 } else { 2 })
                    .map(|_| message("x"))
                    .collect();
                store.queues.enqueue(&queue(), &batch).await
            })
        })
        .collect();
    // With one thread, each call is in the line once its task had its turns.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    drop(held);
    for (call, outcome) in calls.into_iter().enumerate() {
        match outcome.await.unwrap() {
            Ok(stored) => assert_eq!((stored.len(), call % 5 == 3), (2, false)),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Overloaded);
                assert_eq!((error.effect(), call % 5), (Effect::NotApplied, 3));
            }
        }
    }
    assert_eq!(waiting(&store).await, 32);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn competing_handles_hand_out_each_message_once() {
    let scene = Scene::new();
    let store = scene.open().await;
    let batch: Vec<_> = (0..400).map(|n| message(format!("{n}"))).collect();
    store.queues.enqueue(&queue(), &batch).await.unwrap();
    let mut workers = Vec::new();
    for _ in 0..4 {
        let store = scene.open_elsewhere("").await;
        workers.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let taken = take(&store, 7, Duration::ZERO).await;
                if taken.is_empty() {
                    return seen;
                }
                ack(&store, &taken).await;
                seen.extend(taken.into_iter().map(|one| one.message.id));
            }
        }));
    }
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    all.sort();
    let mut sent: Vec<_> = batch.iter().map(|new| new.id).collect();
    sent.sort();
    assert_eq!(all, sent);
    assert_eq!(
        store.admin.stats(&queue()).await.unwrap().unwrap().live(),
        0
    );
}

#[tokio::test]
async fn a_program_that_takes_no_turns_is_named() {
    let scene = Scene::new();
    let store = scene.open().await;
    put(&store, "x").await.unwrap();
    let shell = rusqlite::Connection::open(scene.file()).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = put(&store, "y").await.unwrap_err();
    assert_eq!(error.effect(), Effect::NotApplied);
    assert!(error.to_string().contains("another program"), "{error}");
    shell.execute_batch("ROLLBACK").unwrap();
    put(&store, "z").await.unwrap();
    assert_eq!(waiting(&store).await, 2);
}
