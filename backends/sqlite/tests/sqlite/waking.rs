//! Receivers that sleep are woken, also by other processes.

use std::time::{Duration, Instant};

use longshore_core::{Backend, Due, Pause, Timestamp};

use crate::scene::{Scene, message, put, queue, take};

/// Without the bell a sleeper looks once a second; a woken one is much faster, most times.
const SOON: Duration = Duration::from_millis(500);

/// How long after `cause` a sleeping receiver of `at` gets its message.
async fn woken_after<F: Future<Output = ()>>(at: &Backend, cause: impl FnOnce() -> F) -> Duration {
    let receiver = at.clone();
    let sleeping =
        tokio::spawn(async move { take(&receiver, 1, Duration::from_secs(20)).await.len() });
    // Long enough to be asleep, and out of step with the looks of each second.
    tokio::time::sleep(Duration::from_millis(130)).await;
    let began = Instant::now();
    cause().await;
    assert_eq!(sleeping.await.unwrap(), 1);
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enqueue_by_another_process_wakes_a_sleeper() {
    let scene = Scene::new();
    let (here, there) = (scene.open().await, scene.open_elsewhere("").await);
    let mut took = Vec::new();
    for _ in 0..7 {
        took.push(woken_after(&here, || async { put(&there, "x").await.unwrap() }).await);
    }
    took.sort();
    assert!(took[3] < SOON, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_delay_set_by_another_process_is_kept() {
    let scene = Scene::new();
    let (here, there) = (scene.open().await, scene.open_elsewhere("").await);
    let delay = Duration::from_millis(150);
    let mut took = Vec::new();
    for _ in 0..5 {
        let cause = || async {
            let mut new = message("x");
            new.due = Some(Due::In(delay));
            there.queues.enqueue(&queue(), &[new]).await.unwrap();
        };
        took.push(woken_after(&here, cause).await);
    }
    took.sort();
    assert!(took[0] >= Duration::from_millis(140), "{took:?}");
    assert!(took[2] < delay + SOON, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_pause_wakes_a_sleeper() {
    let scene = Scene::new();
    let (here, there) = (scene.open().await, scene.open_elsewhere("").await);
    let pause = Pause {
        author: "a test".to_owned(),
        reason: String::new(),
        since: Timestamp::EPOCH,
    };
    there.admin.pause(&queue(), &pause).await.unwrap();
    put(&there, "x").await.unwrap();
    let resume = || async { assert!(there.admin.resume(&queue()).await.unwrap()) };
    let took = woken_after(&here, resume).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_for_many_sleepers_reaches_one() {
    let scene = Scene::new();
    let store = scene.open().await;
    let sleepers: Vec<_> = (0..20)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { take(&store, 1, Duration::from_secs(2)).await.len() })
        })
        .collect();
    put(&store, "x").await.unwrap();
    let mut got = 0;
    for sleeper in sleepers {
        got += sleeper.await.unwrap();
    }
    assert_eq!(got, 1);
}
