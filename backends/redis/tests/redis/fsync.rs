//! What an enqueue that is acknowledged with `ack=fsync` has survived.

use std::time::{Duration, Instant};

use longshore_core::{Backend, Enqueued, Finding, Settled, StoreErrorKind};

use crate::servers::{Commands as _, Server};
use crate::stage::{bodies, fresh, open, queue, take, try_open};

#[tokio::test]
async fn what_was_acknowledged_with_fsync_survives_a_kill() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]).unwrap();
    let store = open(&server.url("ack=fsync&timeout=2s")).await;
    let stored = store
        .queues
        .enqueue(&queue(), &fresh(&["a", "b", "c"]))
        .await
        .unwrap();
    assert_eq!(stored, [Enqueued::Stored; 3]);
    let held = take(&store, 1).await;
    server.kill();
    let away = store
        .queues
        .enqueue(&queue(), &fresh(&["d"]))
        .await
        .unwrap_err();
    assert_eq!(away.kind(), StoreErrorKind::Unavailable, "{away}");
    server.start_again();
    // The connection mends itself; a lease outlives the server as well.
    let began = Instant::now();
    let mut settled = store.queues.settle(&queue(), &[]).await.map(|_| Vec::new());
    while settled.as_ref().map_or(true, Vec::is_empty) && began.elapsed() < Duration::from_secs(10)
    {
        settled = crate::stage::try_ack(&store, &held).await;
    }
    assert_eq!(settled.unwrap(), [Settled::Applied]);
    assert_eq!(bodies(&take(&store, 9).await), ["b", "c"]);
}

/// Whether the server can be asked to wait for its disk: from Redis 7.2 on.
async fn knows_waitaof(server: &Server) -> bool {
    let info = server.command(&["COMMAND", "INFO", "WAITAOF"]).await;
    let redis::Value::Array(known) = info else {
        panic!("COMMAND INFO answers a list: {info:?}");
    };
    known != [redis::Value::Nil]
}

async fn durability(store: &Backend) -> Finding {
    let findings = store.admin.check().await.expect("check");
    let told = findings.into_iter().find(|one| one.check == "durability");
    told.expect("doctor tells of it")
}

#[tokio::test]
async fn fsync_is_waited_for_or_not_promised_where_the_server_syncs_each_second() {
    let args = ["--appendonly", "yes", "--appendfsync", "everysec"];
    let mut server = Server::start(&args).unwrap();
    if !knows_waitaof(&server).await {
        let error = try_open(&server.url("ack=fsync")).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
        assert!(error.to_string().contains("appendfsync always"), "{error}");
        return;
    }
    let store = open(&server.url("ack=fsync")).await;
    let told = durability(&store).await;
    assert_eq!(told.severity, longshore_core::Severity::Ok);
    assert!(
        told.found.contains("waits up to a second"),
        "{}",
        told.found
    );
    let stored = store.queues.enqueue(&queue(), &fresh(&["a"])).await;
    assert_eq!(stored.unwrap(), [Enqueued::Stored]);
    let asked = server.command(&["INFO", "commandstats"]).await;
    let asked: String = redis::from_redis_value(asked).unwrap();
    assert!(
        asked.contains("cmdstat_waitaof:calls=2"),
        "one at the opening: {asked}"
    );
    server.kill();
    server.start_again();
    let store = open(&server.url("ack=fsync")).await;
    assert_eq!(bodies(&take(&store, 9).await), ["a"]);
}

#[tokio::test]
async fn fsync_is_not_promised_where_nothing_is_written_to_the_disk() {
    for args in [
        &["--appendonly", "no"][..],
        &["--appendonly", "yes", "--appendfsync", "no"],
    ] {
        let server = Server::start(args).unwrap();
        let error = try_open(&server.url("ack=fsync")).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
        assert!(error.to_string().contains("appendonly yes"), "{error}");
    }
}

#[tokio::test]
async fn fsync_is_waited_for_or_not_promised_where_the_server_suspends_it() {
    let always = ["--appendonly", "yes", "--appendfsync", "always"];
    let server = Server::start(&always).unwrap();
    let before = open(&server.url("ack=fsync")).await;
    let command = ["CONFIG", "SET", "no-appendfsync-on-rewrite", "yes"];
    server.command(&command).await;
    assert_eq!(
        durability(&before).await.severity,
        longshore_core::Severity::Problem
    );
    if knows_waitaof(&server).await {
        let store = open(&server.url("ack=fsync")).await;
        assert_eq!(
            durability(&store).await.severity,
            longshore_core::Severity::Warning
        );
        return;
    }
    let error = try_open(&server.url("ack=fsync")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    let said = error.to_string();
    assert!(said.contains("no-appendfsync-on-rewrite no"), "{said}");
}
