//! Receives whose bodies do not pass through a script: one transaction of three commands.

use std::time::Duration;

use longshore_core::{
    AttemptRecord, Backend, Delivery, Disposition, Due, Label, Lane, Settled, Settlement,
};
use redis::Value;

use crate::servers::{Proxy, Server, text, until};
use crate::stage::{
    ack, bodies, delayed, fresh, given, grouped, open, opened, queue, stats, take, take_for,
};

const STREAM: &str = "{longshore/work#0}:s1";

/// How many receives went past the scripts.
async fn bare_reads(server: &Server) -> u64 {
    let info = text(server.command(&["INFO", "commandstats"]).await);
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_xreadgroup:calls="));
    line.and_then(|rest| rest.split(',').next()?.parse().ok())
        .unwrap_or(0)
}

async fn number(server: &Server, words: &[&str]) -> i64 {
    match server.command(words).await {
        Value::Int(number) => number,
        other => panic!("{other:?} is no number"),
    }
}

/// The server's clock.
async fn clock_ms(server: &Server) -> u64 {
    let Value::Array(parts) = server.command(&["TIME"]).await else {
        panic!("TIME is a list");
    };
    let parts: Vec<u64> = parts
        .into_iter()
        .map(|part| text(part).parse().unwrap())
        .collect();
    parts[0] * 1000 + parts[1] / 1000
}

fn names(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| number.to_string()).collect()
}

async fn store_numbers(store: &Backend, numbers: std::ops::Range<usize>) {
    let names = names(numbers);
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    store
        .queues
        .enqueue(&queue(), &fresh(&words))
        .await
        .unwrap();
}

/// A store whose receives of ten go the bare way, once a first batch showed the queue to be plain.
async fn warm(server: &Server) -> Backend {
    let store = opened(server).await;
    // Twice: a server that does not know the script is told it at the first try.
    for _ in 0..2 {
        store_numbers(&store, 0..30).await;
        for _ in 0..3 {
            let taken = take(&store, 10).await;
            assert_eq!(ack(&store, &taken).await, [Settled::Applied; 10]);
        }
    }
    assert!(bare_reads(server).await > 0, "no receive went the bare way");
    store
}

async fn settle(store: &Backend, one: &Delivery, disposition: Disposition) -> Settled {
    let settlement = Settlement {
        receipt: one.receipt.clone(),
        disposition,
    };
    store.queues.settle(&queue(), &[settlement]).await.unwrap()[0]
}

/// Nothing is left but what always stays.
async fn assert_empty(server: &Server, store: &Backend) {
    let now = stats(store).await;
    assert_eq!((now.live(), now.leased), (0, 0), "{now:?}");
    for key in ["h", "l", "e", "o"].map(|name| format!("{{longshore/work#0}}:{name}")) {
        assert_eq!(number(server, &["EXISTS", &key]).await, 0, "{key}");
    }
}

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
async fn a_server_that_forgot_the_scripts_hands_out_nothing_unbooked() {
    let server = Server::start(&[]).unwrap();
    let store = warm(&server).await;
    store_numbers(&store, 0..60).await;
    let mut all = Vec::new();
    for round in 0..6 {
        if round % 2 == 0 {
            server.command(&["SCRIPT", "FLUSH"]).await;
        }
        let taken = take(&store, 10).await;
        assert_eq!(bodies(&taken), names(10 * round..10 * round + 10));
        all.extend(taken);
        assert_eq!(stats(&store).await.leased, all.len() as u64);
    }
    assert_eq!(ack(&store, &all).await, [Settled::Applied; 60]);
    assert_empty(&server, &store).await;
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
    // The group is gone, and one of somebody else is there.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_the_bare_way_is_asked_for_again() {
    let server = Server::start(&[]).unwrap();
    let _warm = warm(&server).await;
    let proxy = Proxy::to(server.port()).await;
    let store = open(&proxy.url("timeout=3s")).await;
    store_numbers(&store, 0..30).await;
    for _ in 0..3 {
        let taken = take(&store, 10).await;
        ack(&store, &taken).await;
    }
    for _ in 0..10 {
        store_numbers(&store, 0..20).await;
        let before = bare_reads(&server).await;
        proxy.lose_next();
        let taken = take(&store, 10).await;
        assert!(proxy.has_lost());
        assert_eq!(bare_reads(&server).await, before + 1);
        assert_eq!(bodies(&taken), names(0..10));
        assert!(taken.iter().all(|one| one.attempt == 1));
        assert_eq!(stats(&store).await.leased, 10);
        assert_eq!(ack(&store, &taken).await, [Settled::Applied; 10]);
        let rest = take(&store, 10).await;
        assert_eq!(bodies(&rest), names(10..20));
        assert_eq!(ack(&store, &rest).await, [Settled::Applied; 10]);
    }
    assert_empty(&server, &store).await;
}

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

#[tokio::test]
async fn a_count_that_went_wrong_loses_nothing() {
    let server = Server::start(&[]).unwrap();
    let store = warm(&server).await;
    store_numbers(&store, 0..14).await;
    let first = take(&store, 10).await;
    // Fewer are said to be leased than are: more seem to wait.
    server
        .command(&["HSET", "{longshore/work#0}:c", "f", "0"])
        .await;
    let lease = Duration::from_millis(60);
    let second = take_for(&store, 10, lease, Duration::ZERO).await.unwrap();
    assert_eq!(bodies(&second), names(10..14));
    assert_eq!(ack(&store, &first).await, [Settled::Applied; 10]);
    assert_eq!(ack(&store, &second[..3]).await, [Settled::Applied; 3]);
    let back = take_for(&store, 10, Duration::from_secs(30), Duration::from_secs(9))
        .await
        .unwrap();
    assert_eq!(bodies(&back), ["13"]);
    assert_eq!(back[0].attempt, 2);
    assert_eq!(ack(&store, &back).await, [Settled::Applied]);
    for key in ["h", "l", "e"].map(|name| format!("{{longshore/work#0}}:{name}")) {
        assert_eq!(number(&server, &["EXISTS", &key]).await, 0, "{key}");
    }
}

#[tokio::test]
async fn a_server_that_comes_back_knows_what_was_leased() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]).unwrap();
    let store = warm(&server).await;
    store_numbers(&store, 0..40).await;
    let taken = [take(&store, 10).await, take(&store, 10).await].concat();
    server.kill();
    server.start_again();
    let store = opened(&server).await;
    assert_eq!(stats(&store).await.leased, 20);
    let rest = [take(&store, 10).await, take(&store, 10).await].concat();
    assert_eq!(bodies(&rest), names(20..40));
    assert_eq!(ack(&store, &taken).await, [Settled::Applied; 20]);
    assert_eq!(ack(&store, &rest).await, [Settled::Applied; 20]);
    assert_empty(&server, &store).await;
}
