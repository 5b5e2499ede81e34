//! Batches of plain messages that are stored by bare commands in one transaction.

use std::time::Duration;

use crate::servers::{Commands as _, Proxy, Server, text, until};
use crate::stage::{
    ack, bodies, delayed, fresh, open, opened, queue, stats, take, take_for, try_open,
};
use longshore_core::{Backend, Effect, Enqueued, StoreErrorKind};

/// A batch that is large enough.
const TEN: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

async fn enqueue_ten(store: &Backend) {
    let stored = store.queues.enqueue(&queue(), &fresh(&TEN)).await;
    assert_eq!(stored.expect("enqueue"), [Enqueued::Stored; 10]);
}

/// How many transactions the server has run.
async fn transactions(server: &Server) -> u64 {
    let stats = text(server.command(&["INFO", "commandstats"]).await);
    let line = stats.lines().find(|line| line.starts_with("cmdstat_exec:"));
    let calls = line.and_then(|line| line.split(['=', ',']).nth(1));
    calls.map_or(0, |calls| calls.parse().expect("a number"))
}

#[tokio::test]
async fn the_second_batch_goes_bare_and_behind_the_first() {
    let server = Server::start(&[]).unwrap();
    let store = opened(&server).await;
    enqueue_ten(&store).await;
    // The one that asks whether it may.
    assert_eq!(transactions(&server).await, 1);
    for round in 2..=4 {
        enqueue_ten(&store).await;
        assert_eq!(transactions(&server).await, round);
    }
    let taken = take(&store, 100).await;
    assert_eq!(bodies(&taken), TEN.repeat(4));
    ack(&store, &taken).await;
    assert_eq!(stats(&store).await.live(), 0);
}

#[tokio::test]
async fn what_fell_due_goes_before_a_bare_batch() {
    let server = Server::start(&[]).unwrap();
    let store = opened(&server).await;
    enqueue_ten(&store).await;
    let taken = take(&store, 10).await;
    ack(&store, &taken).await;
    let late = delayed("late", Duration::from_millis(1));
    store.queues.enqueue(&queue(), &[late]).await.unwrap();
    until("it is due", || async { stats(&store).await.waiting == 1 }).await;
    let before = transactions(&server).await;
    enqueue_ten(&store).await;
    assert_eq!(transactions(&server).await, before + 1);
    assert_eq!(bodies(&take(&store, 2).await), ["late", "0"]);
}

#[tokio::test]
async fn a_script_that_was_forgotten_runs_behind_the_batch() {
    let server = Server::start(&[]).unwrap();
    let store = opened(&server).await;
    enqueue_ten(&store).await;
    let all = take(&store, 10).await;
    ack(&store, &all).await;
    server.command(&["SCRIPT", "FLUSH"]).await;
    // It wakes the receives that sleep, also then.
    let (lease, patience) = (Duration::from_secs(9), Duration::from_secs(20));
    let waiting = async { take_for(&store, 10, lease, patience).await.unwrap() };
    let sleepers = ["ZCARD", "{longshore/work#0}:w"];
    let adding = async {
        let sleeps = || async { text(server.command(&sleepers).await) == "1" };
        until("somebody sleeps", sleeps).await;
        enqueue_ten(&store).await;
    };
    let (taken, ()) = tokio::join!(waiting, adding);
    assert_eq!(bodies(&taken), TEN);
    assert_eq!(stats(&store).await.live(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_answer_got_lost_is_stored_once() {
    let server = Server::start(&[]).unwrap();
    let proxy = Proxy::to(server.port()).await;
    let store = open(&proxy.url("timeout=3s")).await;
    for round in 1..=10 {
        // Through a script, then bare.
        enqueue_ten(&store).await;
        let before = transactions(&server).await;
        let batch = fresh(&TEN);
        proxy.lose_next();
        let lost = store.queues.enqueue(&queue(), &batch).await;
        let error = lost.expect_err("its answer is lost");
        assert_eq!(error.effect(), Effect::Unknown, "{error:?}");
        assert_eq!(transactions(&server).await, before + 1);
        let again = store.queues.enqueue(&queue(), &batch).await;
        assert_eq!(again.unwrap(), [Enqueued::Stored; 10]);
        assert_eq!(stats(&store).await.live(), 20 * round);
    }
}

#[tokio::test]
async fn a_user_that_may_open_no_transactions_enqueues_all_the_same() {
    let server = Server::start(&[]).unwrap();
    let rights = ["~*", "&*", "+@all", "-multi", ">pw", "on"];
    server
        .command(&[&["ACL", "SETUSER", "ann"], &rights[..]].concat())
        .await;
    let url = format!("redis://ann:pw@127.0.0.1:{}", server.port());
    let store = try_open(&url).await.unwrap();
    for _ in 0..3 {
        enqueue_ten(&store).await;
    }
    assert_eq!(bodies(&take(&store, 100).await), TEN.repeat(3));
}

#[tokio::test]
async fn a_lane_that_is_something_else_and_a_newer_layout_are_told() {
    let server = Server::start(&[]).unwrap();
    let store = opened(&server).await;
    enqueue_ten(&store).await;
    let stream = "{longshore/work#0}:s1";
    server.command(&["DEL", stream]).await;
    server.command(&["SET", stream, "of another program"]).await;
    for _ in 0..2 {
        let refused = store.queues.enqueue(&queue(), &fresh(&TEN)).await;
        let error = refused.unwrap_err();
        let how = (error.kind(), error.effect());
        assert_eq!(how, (StoreErrorKind::Corrupt, Effect::Unknown), "{error}");
    }
    server.command(&["DEL", stream]).await;
    // What failed was not noted as stored.
    let batch = fresh(&TEN);
    store.queues.enqueue(&queue(), &batch).await.unwrap();
    enqueue_ten(&store).await;
    assert_eq!(stats(&store).await.live(), 20);
    server
        .command(&["HSET", "{longshore/work#0}:c", "v", "2"])
        .await;
    for _ in 0..2 {
        let refused = store.queues.enqueue(&queue(), &fresh(&TEN)).await;
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Unsupported);
    }
}
