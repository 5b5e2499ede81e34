//! What only a server that fails, or one that is set up wrongly, can show.

use std::time::{Duration, Instant};

use crate::servers::{Commands as _, Server};
use crate::stage::{ack, bodies, fresh, given, open, opened, queue, stats, take, try_open};
use longshore_core::{Effect, Enqueued, Settled, StoreErrorKind};

#[tokio::test]
async fn a_flushed_script_cache_is_no_fault() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("")).await;
    for round in 0..3 {
        server.command(&["SCRIPT", "FLUSH"]).await;
        let stored = store
            .queues
            .enqueue(&queue(), &fresh(&["a", "b"]))
            .await
            .unwrap();
        assert_eq!(stored, [Enqueued::Stored; 2], "round {round}");
        server.command(&["SCRIPT", "FLUSH"]).await;
        let taken = take(&store, 5).await;
        assert_eq!(bodies(&taken), ["a", "b"]);
        server.command(&["SCRIPT", "FLUSH"]).await;
        assert_eq!(ack(&store, &taken).await, [Settled::Applied; 2]);
    }
}

#[tokio::test]
async fn a_full_server_refuses_enqueues_and_lets_itself_be_emptied() {
    let server =
        Server::start(&["--maxmemory", "8mb", "--maxmemory-policy", "noeviction"]).unwrap();
    let store = open(&server.url("")).await;
    let body = "x".repeat(4000);
    let mut stored = 0;
    let full = loop {
        let batch = fresh(&[body.as_str(); 50]);
        match store.queues.enqueue(&queue(), &batch).await {
            Ok(outcomes) => stored += outcomes.len(),
            Err(error) => break error,
        }
        assert!(stored < 10_000, "it never fills up");
    };
    assert_eq!(
        (full.kind(), full.effect()),
        (StoreErrorKind::Overloaded, Effect::NotApplied)
    );
    assert!(full.is_retryable() && full.retry_hint().is_some(), "{full}");
    let mut taken = 0;
    while taken < stored {
        let batch = take(&store, 100).await;
        assert!(!batch.is_empty(), "{taken} of {stored}");
        assert!(
            ack(&store, &batch)
                .await
                .iter()
                .all(|one| *one == Settled::Applied)
        );
        taken += batch.len();
    }
    assert_eq!(stats(&store).await.live(), 0);
    let again = store
        .queues
        .enqueue(&queue(), &fresh(&["there is room"]))
        .await;
    assert_eq!(again.unwrap(), [Enqueued::Stored]);
}

#[tokio::test]
async fn a_frozen_server_ends_calls_by_their_deadline_and_a_repeat_stores_nothing_twice() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("timeout=300ms")).await;
    store
        .queues
        .enqueue(&queue(), &fresh(&["before"]))
        .await
        .unwrap();
    let batch = fresh(&["once"]);
    server.freeze();
    let began = Instant::now();
    let error = store.queues.enqueue(&queue(), &batch).await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_eq!(
        (error.kind(), error.effect()),
        (StoreErrorKind::Timeout, Effect::Unknown)
    );
    server.thaw();
    let mut repeated = store.queues.enqueue(&queue(), &batch).await;
    while repeated.is_err() {
        repeated = store.queues.enqueue(&queue(), &batch).await;
    }
    assert_eq!(repeated.unwrap(), [Enqueued::Stored]);
    assert_eq!(bodies(&take(&store, 9).await), ["before", "once"]);
}

#[tokio::test]
async fn a_primary_that_becomes_a_replica_leaves_the_outcome_unknown() {
    let server = Server::start(&[]).unwrap();
    let other = Server::start(&[]).unwrap();
    let store = open(&server.url("ack=replicas:1&timeout=20s")).await;
    let port = other.port().to_string();
    let batch = fresh(&["a"]);
    let name = queue();
    let enqueue = store.queues.enqueue(&name, &batch);
    let demote = async {
        // Until the write waits for its replica.
        longshore_conformance::until("somebody waits", async || {
            let info = server.command(&["INFO", "clients"]).await;
            format!("{info:?}").contains("blocked_clients:1")
        })
        .await;
        server.command(&["REPLICAOF", "127.0.0.1", &port]).await;
    };
    let (answer, ()) = tokio::join!(enqueue, demote);
    let error = answer.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (StoreErrorKind::Unavailable, Effect::Unknown),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_refuses_every_write_is_a_problem() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("")).await;
    let command = ["CONFIG", "SET", "min-replicas-to-write", "1"];
    server.command(&command).await;
    let findings = store.admin.check().await.unwrap();
    let told = findings.iter().find(|one| one.check == "replicas").unwrap();
    assert_eq!(told.severity, longshore_core::Severity::Problem, "{told:?}");
    assert!(told.found.contains("refuses every write"), "{told:?}");
}

#[tokio::test]
async fn replicas_that_are_missing_make_the_outcome_unknown_and_never_a_success() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("ack=replicas:1&timeout=500ms")).await;
    let error = store
        .queues
        .enqueue(&queue(), &fresh(&["a"]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (StoreErrorKind::Timeout, Effect::Unknown)
    );
    for part in ["0 of 1 replicas", "within 200ms", "?ack=replicas:N"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let findings = store.admin.check().await.unwrap();
    let told = findings.iter().find(|one| one.check == "replicas");
    assert_eq!(told.unwrap().severity, longshore_core::Severity::Problem);
}

#[tokio::test]
async fn a_replica_refuses_writes_without_effect() {
    let server = Server::start(&[]).unwrap();
    let store = open(&server.url("")).await;
    store
        .queues
        .enqueue(&queue(), &fresh(&["a"]))
        .await
        .unwrap();
    let other = Server::start(&[]).unwrap();
    let port = other.port().to_string();
    server.command(&["REPLICAOF", "127.0.0.1", &port]).await;
    let error = store
        .queues
        .enqueue(&queue(), &fresh(&["b"]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (StoreErrorKind::Unavailable, Effect::NotApplied)
    );
    assert!(error.to_string().contains("read-only"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let mut server = Server::start(&[]).unwrap();
    let url = server.url("timeout=1s");
    server.kill();
    let error = try_open(&url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert_eq!(error.effect(), Effect::NotApplied);
}

#[tokio::test]
async fn keys_of_another_program_are_named_as_such() {
    let server = Server::start(&[]).unwrap();
    server
        .command(&["SET", "{longshore/work#0}:s1", "mine"])
        .await;
    let store = open(&server.url("")).await;
    let error = store
        .queues
        .enqueue(&queue(), &fresh(&["a"]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains("another program"), "{error}");
}

#[tokio::test]
async fn keys_of_a_newer_version_are_left_alone() {
    let server = Server::start(&[]).unwrap();
    server
        .command(&["HSET", "{longshore/work#0}:c", "v", "2"])
        .await;
    let store = open(&server.url("")).await;
    for error in [
        store
            .queues
            .enqueue(&queue(), &fresh(&["a"]))
            .await
            .unwrap_err(),
        store
            .queues
            .enqueue(&queue(), &[given("b")])
            .await
            .unwrap_err(),
        crate::stage::try_take(&store, 1).await.unwrap_err(),
        store
            .admin
            .purge(&queue(), std::num::NonZeroU32::MIN)
            .await
            .unwrap_err(),
        store.admin.stats(&queue()).await.unwrap_err(),
    ] {
        assert_eq!(
            (error.kind(), error.effect()),
            (StoreErrorKind::Unsupported, Effect::NotApplied)
        );
    }
}

#[tokio::test]
async fn another_number_of_partitions_is_refused() {
    let server = Server::start(&[]).unwrap();
    let four = open(&server.url("partitions=4")).await;
    four.queues.enqueue(&queue(), &fresh(&["a"])).await.unwrap();
    let one = open(&server.url("")).await;
    let error = one
        .queues
        .enqueue(&queue(), &fresh(&["b"]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    assert!(error.to_string().contains("?partitions=4"), "{error}");
}

#[tokio::test]
async fn nothing_but_a_few_keys_stays_behind() {
    let server = Server::start(&[]).unwrap();
    let store = opened(&server).await;
    for round in 0..40 {
        let mut batch = fresh(&["a", "b", &"large".repeat(8_000)]);
        batch.push(crate::stage::grouped(&format!("g{round}"), "c"));
        batch.push(crate::stage::delayed("d", Duration::from_millis(1)));
        store.queues.enqueue(&queue(), &batch).await.unwrap();
    }
    let began = Instant::now();
    while stats(&store).await.live() > 0 && began.elapsed() < Duration::from_secs(20) {
        let taken = take(&store, 50).await;
        ack(&store, &taken).await;
    }
    let redis::Value::Int(keys) = server.command(&["DBSIZE"]).await else {
        panic!("DBSIZE is no number");
    };
    assert!(
        keys <= 12,
        "{keys} keys: {:?}",
        server.command(&["KEYS", "*"]).await
    );
}

/// A user who mistyped an address learns which part of it is wrong, and that nothing was done.
#[tokio::test]
async fn a_wrong_address_is_told_by_its_part() {
    let server = Server::start(&[]).unwrap();
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let spoken_to = other.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = other.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await;
        }
    });
    let port = server.port();
    let (misconfigured, unavailable) = (StoreErrorKind::Misconfigured, StoreErrorKind::Unavailable);
    let rows = [
        (
            format!("redis://127.0.0.1:{port}/99"),
            misconfigured,
            "no database of this number",
        ),
        (
            format!("redis://{spoken_to}"),
            misconfigured,
            "does not speak the protocol of Redis",
        ),
        (
            "redis+unix:///nowhere/redis.sock".into(),
            unavailable,
            "check that it runs",
        ),
    ];
    for (url, kind, words) in rows {
        let error = try_open(&url).await.unwrap_err();
        let text = error.to_string();
        assert_eq!(
            (error.kind(), error.effect()),
            (kind, Effect::NotApplied),
            "{text}"
        );
        assert!(text.contains(words), "{url}: {text}");
    }
}
