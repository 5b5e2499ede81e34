//! Answers that get lost after the server did what it was asked to.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::servers::{Commands as _, Proxy, Server, Watched, text, until};
use crate::stage::{
    ack, bodies, fresh, grouped, open, queue, stats, take, take_for, try_ack, try_take,
};
use longshore_core::{Backend, Effect, Enqueued, MessageId, NewMessage, Settled};

/// Enqueues by a call whose answer gets lost, and then again as the library does.
async fn enqueue_twice(proxy: &Proxy, store: &Backend, batch: &[NewMessage]) {
    proxy.lose_next();
    let lost = store.queues.enqueue(&queue(), batch).await;
    let error = lost.expect_err("its answer is lost");
    assert!(proxy.has_lost());
    assert_eq!(error.effect(), Effect::Unknown, "{error:?}");
    assert!(error.is_retryable(), "{error:?}");
    let again = store.queues.enqueue(&queue(), batch).await;
    let stored = again.expect("it is stored");
    assert_eq!(stored, vec![Enqueued::Stored; batch.len()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_enqueue_stores_nothing_twice() {
    let server = Server::start(&[]).unwrap();
    let proxy = Proxy::to(server.port()).await;
    let store = open(&proxy.url("timeout=3s")).await;
    store
        .queues
        .enqueue(&queue(), &fresh(&["before"]))
        .await
        .unwrap();
    for round in 1..=20 {
        // The fast path, and the long one.
        enqueue_twice(&proxy, &store, &fresh(&["a", "b"])).await;
        enqueue_twice(&proxy, &store, &[grouped("g", "c"), grouped("g", "d")]).await;
        assert_eq!(stats(&store).await.live(), 1 + 4 * round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_enqueue_over_several_partitions_stores_nothing_twice() {
    let server = Server::start(&[]).unwrap();
    let proxy = Proxy::to(server.port()).await;
    let store = open(&proxy.url("partitions=4&timeout=3s")).await;
    let batch = || -> Vec<NewMessage> {
        let in_groups = (0..8).map(|group| grouped(&group.to_string(), "g"));
        in_groups.chain(fresh(&["x", "y"])).collect()
    };
    store.queues.enqueue(&queue(), &batch()).await.unwrap();
    for round in 1..=12 {
        // The answer of one part after the other gets lost; those before it arrived.
        proxy.lose_after(round % 4);
        let batch = batch();
        let mut stored = store.queues.enqueue(&queue(), &batch).await;
        if stored.is_err() {
            stored = store.queues.enqueue(&queue(), &batch).await;
        }
        assert_eq!(stored.unwrap().len(), 10);
        assert_eq!(
            stats(&store).await.live(),
            10 * (round + 1),
            "round {round}"
        );
        assert!(proxy.has_lost(), "the answers were fewer than parts");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receive_whose_answer_got_lost_answers_the_same_run_and_charges_nobody() {
    let server = Server::start(&[]).unwrap();
    let proxy = Proxy::to(server.port()).await;
    let store = open(&proxy.url("timeout=3s")).await;
    for round in 0..20 {
        let batch = [fresh(&["a", "b", "c"]), vec![grouped("g", "d")]].concat();
        store.queues.enqueue(&queue(), &batch).await.unwrap();
        proxy.lose_next();
        let taken = take(&store, 10).await;
        assert!(proxy.has_lost());
        assert_eq!(bodies(&taken), ["a", "b", "c", "d"], "round {round}");
        assert!(taken.iter().all(|one| one.attempt == 1));
        assert_eq!(stats(&store).await.leased, 4);
        assert_eq!(ack(&store, &taken).await, [Settled::Applied; 4]);
    }
    assert_eq!(stats(&store).await.live(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_ack_ends_nothing_else() {
    let server = Server::start(&[]).unwrap();
    let proxy = Proxy::to(server.port()).await;
    let store = open(&proxy.url("timeout=3s")).await;
    for _ in 0..20 {
        let batch = fresh(&["a", "b", "c", "d"]);
        store.queues.enqueue(&queue(), &batch).await.unwrap();
        let taken = take(&store, 3).await;
        proxy.lose_next();
        let error = try_ack(&store, &taken[..2]).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown, "{error:?}");
        // One of the run is still held, so its holder is known: the answer is the same.
        assert_eq!(ack(&store, &taken[..2]).await, [Settled::Applied; 2]);
        let now = stats(&store).await;
        assert_eq!((now.leased, now.waiting), (1, 1));
        assert_eq!(ack(&store, &taken[2..]).await, [Settled::Applied]);
        let rest = take(&store, 9).await;
        assert_eq!(bodies(&rest), ["d"]);
        ack(&store, &rest).await;
    }
}

/// What a failover without `ack=replicas` loses: counted, and said.
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_loses_exactly_what_no_replica_had() {
    let mut watched = Watched::start().await;
    let store = open(&watched.url("timeout=2s")).await;
    let replicated = fresh(&["r"; 50]);
    store.queues.enqueue(&queue(), &replicated).await.unwrap();
    until("both replicas have all of it", || async {
        let waited = watched.servers[0].command(&["WAIT", "2", "1000"]).await;
        waited == redis::Value::Int(2) && in_step(&watched).await
    })
    .await;
    // Replicas that are cut off: the primary goes on accepting.
    for replica in &watched.servers[1..] {
        replica.freeze();
    }
    let cut = ["CLIENT", "KILL", "TYPE", "replica"];
    watched.servers[0].command(&cut).await;
    let unseen = fresh(&["u"; 70]);
    let stored = store.queues.enqueue(&queue(), &unseen).await.unwrap();
    assert_eq!(stored, [Enqueued::Stored; 70], "it is told stored");
    watched.servers[0].kill();
    for replica in &watched.servers[1..] {
        replica.thaw();
    }
    until("there is a new primary", || async {
        try_take(&store, 1).await.is_ok_and(|taken| {
            assert!(taken.len() <= 1);
            !taken.is_empty()
        })
    })
    .await;
    let mut delivered = BTreeSet::new();
    until("what survived is delivered", || async {
        let more = take_for(&store, 100, Duration::from_secs(30), Duration::ZERO).await;
        more.is_ok_and(|more| more.is_empty()) || stats(&store).await.waiting == 0
    })
    .await;
    let live = stats(&store).await.live();
    let ids: BTreeSet<MessageId> = replicated.iter().map(|new| new.id).collect();
    for id in &ids {
        let found = store.admin.find(&queue(), *id).await.unwrap();
        if matches!(found, longshore_core::Found::Message(_)) {
            delivered.insert(*id);
        }
    }
    let lost = unseen.len() as u64 + ids.len() as u64 - live;
    println!("{lost} of 120 acknowledged messages were lost by a failover without ack=replicas");
    assert_eq!(delivered, ids, "what replicas had is there");
    assert_eq!(lost, unseen.len() as u64);
}

/// Whether both replicas are connected to the primary.
async fn in_step(watched: &Watched) -> bool {
    let told = text(watched.servers[0].command(&["INFO", "replication"]).await);
    told.matches("state=online").count() == 2
}
