//! Sentinel, Cluster and TLS, with real servers.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::servers::{Cluster, Server, Watched, text, until};
use crate::stage::{ack, bodies, fresh, given, grouped, open, queue, stats, take, try_open};
use longshore_core::{Enqueued, MessageId, Settled, StoreErrorKind};

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_loses_nothing_that_replicas_confirmed() {
    let mut watched = Watched::start().await;
    let store = open(&watched.url("ack=replicas:1&timeout=2s")).await;
    let mut confirmed: BTreeSet<MessageId> = BTreeSet::new();
    let (mut failures, mut after) = (0, 0);
    let began = Instant::now();
    for round in 0_u64.. {
        if round == 50 {
            watched.servers[0].kill();
        }
        let batch = fresh(&["a", "b", "c"]);
        match store.queues.enqueue(&queue(), &batch).await {
            Ok(stored) => {
                assert_eq!(stored, [Enqueued::Stored; 3]);
                confirmed.extend(batch.iter().map(|new| new.id));
                after += u32::from(round > 50);
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error:?}");
                assert!(round >= 50, "before anything happened: {error:?}");
                failures += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        if after == 50 {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "no new primary: {failures} failures"
        );
    }
    assert!(failures > 0 && confirmed.len() >= 300);
    let mut delivered = BTreeSet::new();
    loop {
        let taken = take(&store, 100).await;
        if taken.is_empty() {
            break;
        }
        delivered.extend(taken.iter().map(|one| one.message.id));
        ack(&store, &taken).await;
    }
    let lost: Vec<_> = confirmed.difference(&delivered).collect();
    assert!(
        lost.is_empty(),
        "{} of {} were lost",
        lost.len(),
        confirmed.len()
    );
}

#[tokio::test]
async fn a_service_that_no_sentinel_knows_is_named() {
    let sentinel = Server::start(&["--sentinel"]).unwrap();
    let url = format!(
        "redis+sentinel://127.0.0.1:{}/mian/0?timeout=1s",
        sentinel.port()
    );
    let error = try_open(&url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    assert!(error.to_string().contains("no sentinel knows"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_spreads_partitions_and_keeps_groups_in_order() {
    let cluster = Cluster::start().await;
    let store = open(&cluster.url("partitions=8")).await;
    let mut batch = Vec::new();
    for number in 0..60 {
        batch.push(grouped(&format!("g{}", number % 5), &number.to_string()));
    }
    batch.push(given(&"large".repeat(10_000)));
    for part in batch.chunks(7) {
        let stored = store.queues.enqueue(&queue(), part).await.unwrap();
        assert!(stored.iter().all(|one| *one == Enqueued::Stored));
    }
    let again = store.queues.enqueue(&queue(), &batch[60..]).await.unwrap();
    assert_eq!(
        again,
        [Enqueued::Duplicate {
            first: batch[60].id
        }]
    );
    assert_eq!(stats(&store).await.waiting, 61);
    let mut used = 0;
    for server in &cluster.servers {
        used += u32::from(text(server.command(&["DBSIZE"]).await) != "0");
    }
    assert!(used >= 2, "everything lies on one node");
    let mut seen: Vec<Vec<u32>> = vec![Vec::new(); 5];
    let mut ended = 0;
    while ended < 61 {
        let taken = take(&store, 10).await;
        assert!(!taken.is_empty(), "{ended} of 61");
        for body in bodies(&taken)
            .iter()
            .filter_map(|body| body.parse::<u32>().ok())
        {
            seen[(body % 5) as usize].push(body);
        }
        let settled = ack(&store, &taken).await;
        assert!(settled.iter().all(|one| *one == Settled::Applied));
        ended += taken.len();
    }
    assert!(
        seen.iter()
            .all(|group| group.len() == 12 && group.is_sorted()),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_cluster_and_a_single_server_are_told_apart() {
    let cluster = Cluster::start().await;
    let url = format!("redis://127.0.0.1:{}?timeout=2s", cluster.servers[0].port());
    let mut refused = None;
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        // Some queues lie on this node by chance; not all of them do.
        let store = open(&url).await;
        let queue = longshore_core::QueueName::new(name).unwrap();
        refused = refused.or(store.queues.enqueue(&queue, &fresh(&["x"])).await.err());
    }
    let error = refused.expect("another node has some of the slots");
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    assert!(error.to_string().contains("redis+cluster://"), "{error}");
    let single = Server::start(&[]).unwrap();
    let url = format!("redis+cluster://127.0.0.1:{}?timeout=2s", single.port());
    let error = try_open(&url).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{error:?}");
    assert!(error.to_string().contains("redis://"), "{error}");
}

/// An authority, a server certificate for 127.0.0.1 and a client certificate, made by openssl.
fn certificates() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let script = "
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca
        for name in server client; do
            openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
            printf 'subjectAltName=IP:127.0.0.1\\n' > ext
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
                -out $name.pem -days 2 -extfile ext
        done";
    let made = Command::new("sh")
        .arg("-ec")
        .arg(script)
        .current_dir(dir.path())
        .output();
    let made = made.expect("sh");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    dir
}

#[tokio::test]
async fn tls_wants_the_right_authority_name_and_client() {
    let dir = certificates();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let tls_port = crate::servers::free_port();
    let _server = Server::start(&[
        "--tls-port",
        &tls_port.to_string(),
        "--tls-cert-file",
        &path("server.pem"),
        "--tls-key-file",
        &path("server.key"),
        "--tls-ca-cert-file",
        &path("ca.pem"),
    ])
    .unwrap();
    let at = |host: &str, query: &str| format!("rediss://{host}:{tls_port}/0?timeout=2s{query}");
    let client = format!("&cert={}&key={}", path("client.pem"), path("client.key"));
    let trusted = format!("&ca={}", path("ca.pem"));
    let store = open(&at("127.0.0.1", &format!("{trusted}{client}"))).await;
    store
        .queues
        .enqueue(&queue(), &fresh(&["a"]))
        .await
        .unwrap();
    assert_eq!(bodies(&take(&store, 1).await), ["a"]);
    for (host, query) in [
        ("127.0.0.1", client.clone()), // an authority that nobody knows
        ("localhost", format!("{trusted}{client}")), // another name
        ("127.0.0.1", trusted.clone()), // no client certificate
    ] {
        let error = try_open(&at(host, &query)).await.unwrap_err();
        let kind = error.kind();
        let refused = [StoreErrorKind::Misconfigured, StoreErrorKind::Unavailable];
        assert!(refused.contains(&kind), "{host} {query}: {error:?}");
    }
    let missing = try_open(&at("127.0.0.1", "&ca=/nowhere/ca.pem"))
        .await
        .unwrap_err();
    assert!(missing.to_string().contains("/nowhere/ca.pem"), "{missing}");
    until("the queue is still there", || async {
        stats(&store).await.leased == 1
    })
    .await;
}
