//! Receives whose bodies do not pass through a script: one transaction of three commands.

use std::time::Duration;

use longshore_core::{AttemptRecord, Delivery, Disposition, Due, Label, Settled};

use crate::servers::{Commands as _, Server};
use crate::stage::{
    ack, assert_empty, bare_reads, bodies, names, settle, stats, store_numbers, take, take_for,
    warm,
};

const STREAM: &str = "{longshore/work#0}:s1";

#[tokio::test]
async fn a_full_queue_is_read_in_order_and_leased_as_ever() {
    let server = Server::start(&[]).unwrap();
    let store = warm(&server).await;
    let before = bare_reads(&server).await;
    store_numbers(&store, 0..100).await;
    let mut taken = Vec::new();
    for round in 1..=10 {
        let batch = take(&store, 10).await;
        assert_eq!(bodies(&batch), names(10 * (round - 1)..10 * round));
        assert!(batch.iter().all(|one| one.attempt == 1));
        taken.extend(batch);
        let now = stats(&store).await;
        assert_eq!(
            (now.leased, now.waiting),
            (10 * round as u64, 100 - 10 * round as u64)
        );
    }
    assert_eq!(bare_reads(&server).await, before + 10);
    assert_eq!(ack(&store, &taken).await, [Settled::Applied; 100]);
    // A receipt is used up.
    assert_eq!(ack(&store, &taken[..5]).await, [Settled::LeaseLost; 5]);
    assert_empty(&server, &store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_in_turns_and_at_once_get_each_message_once() {
    let server = Server::start(&[]).unwrap();
    let (one, other) = (warm(&server).await, warm(&server).await);
    let before = bare_reads(&server).await;
    store_numbers(&one, 0..400).await;
    let mut seen = Vec::new();
    for _ in 0..10 {
        let (a, b) = tokio::join!(take(&one, 10), take(&other, 10));
        seen.extend(a.into_iter().chain(b));
        seen.extend(take(&one, 10).await);
        seen.extend(take(&other, 10).await);
    }
    assert_eq!(bare_reads(&server).await, before + 40);
    let mut numbers: Vec<usize> = bodies(&seen)
        .iter()
        .map(|body| body.parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..400).collect::<Vec<_>>());
    assert!(take(&one, 10).await.is_empty());
    // Each settles what it got, through either connection.
    assert_eq!(ack(&other, &seen).await, [Settled::Applied; 400]);
    assert_empty(&server, &one).await;
}

#[tokio::test]
async fn a_read_that_nothing_books_moves_nothing() {
    let server = Server::start(&[]).unwrap();
    let store = warm(&server).await;
    store_numbers(&store, 0..40).await;
    let first = take(&store, 10).await;
    // The read alone, as where a script around it is not known.
    let read = [
        "XREADGROUP",
        "GROUP",
        "cursor",
        "all",
        "COUNT",
        "10",
        "NOACK",
        "STREAMS",
        STREAM,
        ">",
    ];
    server.command(&read).await;
    let second = take(&store, 10).await;
    assert_eq!(bodies(&second), names(10..20));
    // The group is gone, and one of another program is there.
    server
        .command(&["XGROUP", "DESTROY", STREAM, "cursor"])
        .await;
    server
        .command(&["XGROUP", "CREATE", STREAM, "another", "$"])
        .await;
    let third = take(&store, 10).await;
    assert_eq!(bodies(&third), names(20..30));
    let fourth = take(&store, 10).await;
    assert_eq!(bodies(&fourth), names(30..40));
    for taken in [first, second, third, fourth] {
        assert_eq!(ack(&store, &taken).await, [Settled::Applied; 10]);
    }
    assert_empty(&server, &store).await;
}

#[tokio::test]
async fn what_is_settled_in_between_comes_back_before_the_rest() {
    let server = Server::start(&[]).unwrap();
    let store = warm(&server).await;
    store_numbers(&store, 0..60).await;
    let (first, second) = (take(&store, 10).await, take(&store, 10).await);
    let release = Disposition::Release {
        due: None,
        checkpoint: None,
    };
    for one in [&second[0], &second[9], &first[0], &first[4]] {
        assert_eq!(settle(&store, one, release.clone()).await, Settled::Applied);
    }
    // Stale: each of them is nobody's.
    assert_eq!(
        settle(&store, &first[4], Disposition::Ack).await,
        Settled::LeaseLost
    );
    let back = take(&store, 10).await;
    let at_first: Vec<String> = bodies(&back).into_iter().take(4).collect();
    assert_eq!(at_first, ["0", "4", "10", "19"]);
    assert_eq!(bodies(&back)[4..], names(20..26));
    assert!(back.iter().all(|one| one.attempt == 1));
    let at = back[0].leased_until;
    let retry = Disposition::Retry {
        due: Due::NOW,
        record: AttemptRecord::new("w", at, at, Label::lossy("x"), "no"),
        checkpoint: None,
    };
    assert_eq!(settle(&store, &back[0], retry).await, Settled::Applied);
    let mut held: Vec<Delivery> = back[1..].to_vec();
    held.extend(
        first
            .into_iter()
            .enumerate()
            .filter(|(place, _)| ![0, 4].contains(place))
            .map(|(_, one)| one),
    );
    held.extend(second[1..9].to_vec());
    assert!(
        ack(&store, &held)
            .await
            .iter()
            .all(|one| *one == Settled::Applied)
    );
    // The queue is plain again before long, and nothing was left behind.
    let mut left = Vec::new();
    while left.len() < 35 {
        let taken = take(&store, 10).await;
        assert!(!taken.is_empty(), "only {} came", left.len());
        assert!(
            ack(&store, &taken)
                .await
                .iter()
                .all(|one| *one == Settled::Applied)
        );
        left.extend(taken);
    }
    assert_eq!(left.iter().filter(|one| one.attempt == 2).count(), 1);
    assert_empty(&server, &store).await;
}

#[tokio::test]
async fn the_middle_of_a_bare_run_comes_back_in_order_when_its_lease_ends() {
    let server = Server::start(&[]).unwrap();
    let store = warm(&server).await;
    store_numbers(&store, 0..30).await;
    let lease = Duration::from_millis(60);
    let taken = take_for(&store, 10, lease, Duration::ZERO).await.unwrap();
    assert_eq!(ack(&store, &taken[3..5]).await, [Settled::Applied; 2]);
    let began = std::time::Instant::now();
    let mut back = Vec::new();
    while back.len() < 8 && began.elapsed() < Duration::from_secs(10) {
        let again = take_for(
            &store,
            4,
            Duration::from_secs(30),
            Duration::from_millis(20),
        )
        .await
        .unwrap();
        back.extend(again.into_iter().filter(|one| one.attempt == 2));
    }
    assert_eq!(bodies(&back), ["0", "1", "2", "5", "6", "7", "8", "9"]);
    assert_eq!(
        settle(&store, &taken[0], Disposition::Ack).await,
        Settled::LeaseLost
    );
    assert_eq!(ack(&store, &back).await, [Settled::Applied; 8]);
}
