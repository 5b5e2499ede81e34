//! Bare receives of a queue that is not plain, or not only.

use std::time::Duration;

use longshore_core::{Lane, Settled};

use crate::servers::{Server, until};
use crate::stage::{
    ack, assert_empty, bare_reads, bodies, clock_ms, delayed, fresh, given, grouped, queue, stats,
    store_numbers, take, warm,
};

#[tokio::test]
async fn whatever_goes_before_the_lane_is_seen_by_the_next_receive() {
    let server = Server::start(&[]).unwrap();
    for round in 0..4 {
        let store = warm(&server).await;
        store_numbers(&store, 0..30).await;
        let mut other = fresh(&["first"]);
        match round {
            0 => other[0].lane = Lane::High,
            1 => other = vec![delayed("first", Duration::from_millis(1))],
            2 => other[0].lane = Lane::Low,
            _ => {
                let pause = longshore_core::Pause {
                    author: "me".into(),
                    reason: String::new(),
                    since: longshore_core::Timestamp::EPOCH,
                };
                store.admin.pause(&queue(), &pause).await.unwrap();
                assert!(take(&store, 10).await.is_empty());
                assert!(store.admin.resume(&queue()).await.unwrap());
            }
        }
        store.queues.enqueue(&queue(), &other).await.unwrap();
        let began = std::time::Instant::now();
        let mut taken = Vec::new();
        while taken.len() < 31 && began.elapsed() < Duration::from_secs(10) {
            taken.extend(take(&store, 10).await);
        }
        let bodies = bodies(&taken);
        match round {
            0 => assert_eq!(bodies[0], "first"),
            _ => assert!(bodies.contains(&"first".to_owned())),
        }
        assert_eq!(ack(&store, &taken).await, [Settled::Applied; 31]);
        assert_empty(&server, &store).await;
    }
}

#[tokio::test]
async fn special_rows_are_known_as_such() {
    let server = Server::start(&[]).unwrap();
    let store = warm(&server).await;
    let mut expired = fresh(&["late"]).remove(0);
    expired.expires = Some(longshore_core::Due::In(Duration::from_millis(1)));
    let large = "l".repeat(20_000);
    let mut batch = vec![
        expired,
        given("given"),
        grouped("g", "head"),
        grouped("g", "next"),
        given(&large),
    ];
    batch.extend(fresh(&["a", "b", "c", "d", "e", "f", "g", "h"]));
    store.queues.enqueue(&queue(), &batch).await.unwrap();
    let again = batch[1].clone();
    let stored_at = clock_ms(&server).await;
    until("the first has expired", || async {
        clock_ms(&server).await > stored_at + 1
    })
    .await;
    let before = bare_reads(&server).await;
    let taken = take(&store, 10).await;
    assert_eq!(bare_reads(&server).await, before + 1);
    assert_eq!(
        bodies(&taken),
        ["given", "head", &large, "a", "b", "c", "d", "e", "f"]
    );
    assert_eq!(stats(&store).await.dead, 1);
    assert_eq!(ack(&store, &taken).await, [Settled::Applied; 9]);
    let known = store.queues.enqueue(&queue(), &[again]).await.unwrap();
    assert!(matches!(
        known[0],
        longshore_core::Enqueued::Duplicate { .. }
    ));
    let rest = take(&store, 10).await;
    let mut left = bodies(&rest);
    left.sort();
    assert_eq!(left, ["g", "h", "next"]);
    assert_eq!(ack(&store, &rest).await, [Settled::Applied; 3]);
    assert_empty(&server, &store).await;
}
