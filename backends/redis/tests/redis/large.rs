//! Large bodies beside small ones.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::servers::{Commands as _, Server, text};
use crate::stage::{ack, bodies, fresh, given, open, queue, stats, take};
use longshore_core::{Backend, Disposition, Due, Enqueued, Settled, Settlement};

async fn keys(server: &Server) -> String {
    text(server.command(&["KEYS", "*:p:*"]).await)
}

#[tokio::test]
async fn bodies_of_every_size_keep_their_order_and_leave_no_key() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("")).await;
    // On both sides of the border, the border itself, and the largest that a queue takes.
    let sizes = [10, 16_383, 16_384, 16_385, 300_000, 1_048_576, 20];
    let sent: Vec<String> = sizes
        .iter()
        .enumerate()
        .map(|(number, size)| format!("{number}{}", "x".repeat(size - 1)))
        .collect();
    let words: Vec<&str> = sent.iter().map(String::as_str).collect();
    for _ in 0..3 {
        let stored = store.queues.enqueue(&queue(), &fresh(&words)).await;
        assert_eq!(stored.unwrap(), [Enqueued::Stored; 7]);
        let taken = take(&store, 10).await;
        assert_eq!(bodies(&taken), sent);
        // Back once, so that the body moves with its row.
        let again: Vec<Settlement> = taken
            .iter()
            .map(|one| Settlement {
                receipt: one.receipt.clone(),
                disposition: Disposition::Release {
                    due: Some(Due::NOW),
                    checkpoint: Some("k".into()),
                },
            })
            .collect();
        let released = store.queues.settle(&queue(), &again).await.unwrap();
        assert_eq!(released, [Settled::Applied; 7]);
        let taken = take(&store, 10).await;
        assert_eq!(bodies(&taken), sent);
        assert_eq!(ack(&store, &taken).await, [Settled::Applied; 7]);
        assert_eq!(keys(&server).await, "", "bodies are left behind");
    }
    assert_eq!(stats(&store).await.live(), 0);
}

#[tokio::test]
async fn a_duplicate_leaves_no_second_body_and_a_cancelled_message_none() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("")).await;
    let large = given(&"large".repeat(10_000));
    for _ in 0..3 {
        let stored = store
            .queues
            .enqueue(&queue(), std::slice::from_ref(&large))
            .await;
        assert_eq!(stored.unwrap().len(), 1);
        assert_eq!(keys(&server).await.lines().count(), 1);
    }
    store.admin.cancel(&queue(), &[large.id]).await.unwrap();
    assert_eq!(keys(&server).await, "");
}

/// What small calls wait beside large bodies, where those share one connection and where each of
/// their movers has its own, as with a pool: figures for people, see
/// `docs/decisions/0022-large-bodies-share-a-second-connection.md`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures, and says nothing on a busy machine"]
async fn small_calls_beside_large_bodies() {
    let server = Server::start(&[]).unwrap();
    for (movers, pooled) in [(0, false), (1, false), (8, false), (8, true)] {
        let store = open(&server.url("")).await;
        let body = "x".repeat(256 * 1024);
        let laps = Arc::new(Mutex::new(Vec::new()));
        let mut moving = Vec::new();
        for _ in 0..movers {
            let own = if pooled {
                open(&server.url("")).await
            } else {
                store.clone()
            };
            moving.push(tokio::spawn(move_large(own, body.clone(), laps.clone())));
        }
        let mut small = Vec::new();
        let other = longshore_core::QueueName::new("small").unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(4) {
            let call = Instant::now();
            let batch = fresh(&["small"]);
            store.queues.enqueue(&other, &batch).await.unwrap();
            small.push(call.elapsed());
        }
        for task in moving {
            task.abort();
        }
        let mut large = std::mem::take(&mut *laps.lock().unwrap());
        println!(
            "{movers} movers, pooled {pooled}: small calls {}",
            shown(&mut small)
        );
        println!("lives of a large body {}", shown(&mut large));
        server.command(&["FLUSHALL"]).await;
    }
}

fn shown(spans: &mut [Duration]) -> String {
    spans.sort_unstable();
    let at = |part: usize| spans.get(spans.len() * part / 100).copied();
    format!("{}, p50 {:?}, p99 {:?}", spans.len(), at(50), at(99))
}

/// Moves large bodies through the queue forever, and notes how long each took.
async fn move_large(store: Backend, body: String, laps: Arc<Mutex<Vec<Duration>>>) {
    loop {
        let began = Instant::now();
        let stored = store.queues.enqueue(&queue(), &fresh(&[&body])).await;
        stored.expect("enqueue");
        let taken = take(&store, 1).await;
        ack(&store, &taken).await;
        laps.lock().expect("the laps").push(began.elapsed());
    }
}
