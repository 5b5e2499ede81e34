//! Receivers that sleep are woken, also by other processes.

use std::time::Duration;

use longshore_conformance::until;
use longshore_core::{Backend, Delivery, Due, Pause, Timestamp};

use crate::scene::{Scene, message, put, queue, take};

/// Longer than any of these tests.
const HOUR: Duration = Duration::from_secs(3600);
/// A receive that is not woken by then sleeps on.
const DEADLINE: Duration = Duration::from_secs(30);

/// What a receiver of `at` is woken for that sleeps when `cause` comes.
async fn woken_by<F: Future<Output = ()>>(
    scene: &Scene,
    at: &Backend,
    cause: impl FnOnce() -> F,
) -> Vec<Delivery> {
    until("nobody sleeps", async || !scene.somebody_sleeps()).await;
    let receiver = at.clone();
    let sleeping = tokio::spawn(async move { take(&receiver, 1, HOUR).await });
    until("it sleeps", async || scene.somebody_sleeps()).await;
    cause().await;
    let woken = tokio::time::timeout(DEADLINE, sleeping).await;
    woken.expect("nothing wakes it").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enqueue_by_another_process_wakes_a_sleeper() {
    let scene = Scene::new();
    let (here, there) = (scene.open_patient().await, scene.open_elsewhere("").await);
    for _ in 0..7 {
        let cause = || async { put(&there, "x").await.unwrap() };
        assert_eq!(woken_by(&scene, &here, cause).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_delay_set_by_another_process_is_kept() {
    let scene = Scene::new();
    let (here, there) = (scene.open_patient().await, scene.open_elsewhere("").await);
    for _ in 0..5 {
        let cause = || async {
            let mut new = message("x");
            new.due = Some(Due::In(Duration::from_millis(150)));
            there.queues.enqueue(&queue(), &[new]).await.unwrap();
        };
        let woken = woken_by(&scene, &here, cause).await;
        let delivery = woken.first().expect("it is due");
        assert!(
            delivery.message.due_at <= scene.now(),
            "not before it is due"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_pause_wakes_a_sleeper() {
    let scene = Scene::new();
    let (here, there) = (scene.open_patient().await, scene.open_elsewhere("").await);
    let pause = Pause {
        author: "a test".to_owned(),
        reason: String::new(),
        since: Timestamp::EPOCH,
    };
    there.admin.pause(&queue(), &pause).await.unwrap();
    put(&there, "x").await.unwrap();
    let resume = || async { assert!(there.admin.resume(&queue()).await.unwrap()) };
    assert_eq!(woken_by(&scene, &here, resume).await.len(), 1);
}

/// A bell that is not heard costs time and no message: the sleeper looks by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_bell_a_sleeper_looks_again() {
    let scene = Scene::new();
    let here = scene.open().await;
    let (bell, kept) = (scene.beside("-bell"), scene.beside("-bell-kept"));
    std::fs::rename(&bell, &kept).unwrap();
    // It makes a bell of its own, which nobody watches.
    let there = scene.open_elsewhere("").await;
    std::fs::rename(&kept, &bell).unwrap();
    let cause = || async { put(&there, "x").await.unwrap() };
    assert_eq!(woken_by(&scene, &here, cause).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_for_many_sleepers_reaches_one() {
    let scene = Scene::new();
    let store = scene.open().await;
    let waiters: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { take(&store, 1, Duration::from_secs(2)).await.len() })
        })
        .collect();
    put(&store, "x").await.unwrap();
    let mut got = 0;
    for sleeper in waiters {
        got += sleeper.await.unwrap();
    }
    assert_eq!(got, 1);
}
