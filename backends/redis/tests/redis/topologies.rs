//! Sentinel, Cluster and TLS, with real servers.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::servers::{Cluster, Commands as _, Server, Watched, text, until};
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
async fn sentinels_that_want_a_password_get_it() {
    let primary = Server::start(&["--requirepass", "pw"]).unwrap();
    let sentinel = Server::start(&["--sentinel", "--requirepass", "pw"]).unwrap();
    let port = primary.port().to_string();
    let mut asked = sentinel.raw_as("pw").await;
    for words in [
        vec!["MONITOR", "main", "127.0.0.1", &port, "1"],
        vec!["SET", "main", "auth-pass", "pw"],
    ] {
        let told: redis::RedisResult<redis::Value> = redis::cmd("SENTINEL")
            .arg(&words)
            .query_async(&mut asked)
            .await;
        told.unwrap();
    }
    let at = |query: &str| {
        format!(
            "redis+sentinel://:pw@127.0.0.1:{}/main/0?timeout=2s{query}",
            sentinel.port()
        )
    };
    let refused = try_open(&at("")).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Denied, "{refused}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), ":pw\n").unwrap();
    let by_file = format!("&sentinel-auth={}", file.path().display());
    for query in ["&sentinel-auth=same", by_file.as_str()] {
        let store = open(&at(query)).await;
        let batch = fresh(&["a"]);
        store.queues.enqueue(&queue(), &batch).await.unwrap();
        let taken = take(&store, 9).await;
        assert_eq!(bodies(&taken), ["a"]);
        ack(&store, &taken).await;
    }
    std::fs::write(file.path(), "hunter2").unwrap();
    let error = try_open(&at(&by_file)).await.unwrap_err();
    assert!(error.to_string().contains("user:password"), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
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

/// What a node knows of all: id, epoch and slots of each.
async fn view(server: &Server) -> BTreeSet<String> {
    let nodes = text(server.command(&["CLUSTER", "NODES"]).await);
    let known = nodes.lines().map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        // Slots on their way stand in brackets, on the nodes that are concerned only.
        let slots = words[8..].iter().filter(|range| !range.starts_with('['));
        let slots: Vec<_> = slots.copied().collect();
        format!("{} {} {}", words[0], words[6], slots.join(" "))
    });
    known.collect()
}

/// Waits until all nodes know the same. A slot that is given away before that may end up with
/// nobody: where its new owner does not know the epoch of the old one, the old one's last claim
/// beats its own.
async fn agreed(cluster: &Cluster) {
    let began = Instant::now();
    loop {
        let mut views = Vec::new();
        for server in &cluster.servers {
            views.push(view(server).await);
        }
        if views.windows(2).all(|pair| pair[0] == pair[1]) {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the nodes do not come to agree: {views:#?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The node that keeps a slot, and another one.
async fn owner_of(cluster: &Cluster, slot: u16) -> (usize, usize) {
    for (number, server) in cluster.servers.iter().enumerate() {
        let nodes = text(server.command(&["CLUSTER", "NODES"]).await);
        let mine = nodes.lines().find(|line| line.contains("myself"));
        let mine = mine.expect("a node knows itself");
        let holds = mine.split(' ').skip(8).any(|range| {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            let bound = |text: &str| text.parse::<u16>().ok();
            bound(from) <= Some(slot) && Some(slot) <= bound(to) && bound(from).is_some()
        });
        if holds {
            return (number, (number + 1) % cluster.servers.len());
        }
    }
    panic!("no node has slot {slot}");
}

/// Moves a slot with all its keys to another node, as `redis-cli --cluster reshard` does.
async fn move_slot(cluster: &Cluster, slot: u16) {
    agreed(cluster).await;
    let (from, to) = owner_of(cluster, slot).await;
    let slot = slot.to_string();
    let (source, target) = (&cluster.servers[from], &cluster.servers[to]);
    let source_id = text(source.command(&["CLUSTER", "MYID"]).await);
    let target_id = text(target.command(&["CLUSTER", "MYID"]).await);
    let set = |way: &str, id: &str| {
        ["CLUSTER", "SETSLOT", &slot, way, id]
            .map(str::to_owned)
            .to_vec()
    };
    target.command(&words(&set("IMPORTING", &source_id))).await;
    source.command(&words(&set("MIGRATING", &target_id))).await;
    loop {
        let found = text(
            source
                .command(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"])
                .await,
        );
        if found.is_empty() {
            break;
        }
        let port = target.port().to_string();
        let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        migrate.extend(found.lines());
        source.command(&migrate).await;
    }
    for server in [target, source] {
        server.command(&words(&set("NODE", &target_id))).await;
    }
}

fn words(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reshard_under_load_loses_nothing_and_doubles_nothing() {
    let cluster = Cluster::start().await;
    let url = cluster.url("partitions=4&timeout=3s");
    let store = open(&url).await;
    store
        .queues
        .enqueue(&queue(), &fresh(&["first"]))
        .await
        .unwrap();
    let running = Running::default();
    let producing = tokio::spawn(produce(open(&url).await, running.clone()));
    let consuming = tokio::spawn(consume(open(&url).await, running.clone()));
    for round in 0..12 {
        running.goes_on().await;
        let key = format!("{{longshore/work#{}}}:c", round % 4);
        let keyslot = ["CLUSTER", "KEYSLOT", &key];
        let slot = text(cluster.servers[0].command(&keyslot).await);
        move_slot(&cluster, slot.parse().unwrap()).await;
    }
    running.goes_on().await;
    running.stop();
    let mut stored = producing.await.unwrap();
    let mut seen = consuming.await.unwrap();
    let began = Instant::now();
    while stats(&store).await.live() > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{:?}",
            stats(&store).await
        );
        let taken = take(&store, 100).await;
        seen.extend(taken.iter().map(|one| one.message.id));
        ack(&store, &taken).await;
    }
    assert!(stored.len() > 100, "there was no load: {}", stored.len());
    seen.sort_unstable();
    stored.sort_unstable();
    let doubled = seen.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(doubled, 0);
    // And the first, which was there before.
    assert_eq!(seen.len(), stored.len() + 1);
    assert!(stored.iter().all(|id| seen.binary_search(id).is_ok()));
}

/// What producer and consumer share with the test: how much is stored, and whether to end.
#[derive(Clone, Default)]
struct Running(std::sync::Arc<(AtomicU64, AtomicBool)>);

impl Running {
    fn stop(&self) {
        self.0.1.store(true, Ordering::SeqCst);
    }

    fn is_on(&self) -> bool {
        !self.0.1.load(Ordering::SeqCst)
    }

    /// Waits until some more is stored.
    async fn goes_on(&self) {
        let before = self.0.0.load(Ordering::SeqCst);
        until("more is stored", || async {
            self.0.0.load(Ordering::SeqCst) >= before + 20
        })
        .await;
    }
}

/// Enqueues until it is told to end; a call that failed is repeated until it is stored.
async fn produce(store: longshore_core::Backend, running: Running) -> Vec<MessageId> {
    let mut stored = Vec::new();
    while running.is_on() {
        let batch = fresh(&["x"; 5]);
        let began = Instant::now();
        while let Err(error) = store.queues.enqueue(&queue(), &batch).await {
            assert!(error.is_retryable(), "{error:?}");
            assert!(began.elapsed() < Duration::from_secs(30), "{error:?}");
        }
        stored.extend(batch.iter().map(|new| new.id));
        running.0.0.fetch_add(batch.len() as u64, Ordering::SeqCst);
    }
    stored
}

/// Receives and acks; what it acked counts as seen once, however often the ack was repeated.
async fn consume(store: longshore_core::Backend, running: Running) -> Vec<MessageId> {
    let mut seen = Vec::new();
    while running.is_on() {
        let Ok(taken) = crate::stage::try_take(&store, 20).await else {
            continue;
        };
        let began = Instant::now();
        while let Err(error) = crate::stage::try_ack(&store, &taken).await {
            assert!(began.elapsed() < Duration::from_secs(30), "{error:?}");
        }
        seen.extend(taken.iter().map(|one| one.message.id));
    }
    seen
}

/// An authority and another one, a server certificate for 127.0.0.1 and a client certificate, made
/// by openssl.
fn certificates() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let script = "
        for name in ca ca2; do
            openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.pem -days 2 \
                -subj /CN=$name
        done
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
    let stranger = format!("{trusted}&cert={}&key={}", path("ca2.pem"), path("ca2.key"));
    for (host, query, words) in [
        ("127.0.0.1", client.clone(), "UnknownIssuer"),
        (
            "localhost",
            format!("{trusted}{client}"),
            "not valid for name",
        ),
        (
            "127.0.0.1",
            trusted.clone(),
            "asks for a client certificate",
        ),
        (
            "127.0.0.1",
            stranger,
            "does not accept the client certificate",
        ),
    ] {
        let error = try_open(&at(host, &query)).await.unwrap_err();
        let kind = error.kind();
        assert_eq!(
            kind,
            StoreErrorKind::Misconfigured,
            "{host} {query}: {error:?}"
        );
        assert!(error.to_string().contains(words), "{host} {query}: {error}");
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
