//! The least rights of `docs/cassandra.md`, and TLS, on a node that asks for both.
//!
//! It starts the node itself; `tests/run` says where the jars are by the cluster it started.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use longshore_cassandra::CassandraStore;
use longshore_core::{
    Disposition, IdOrigin, JobKind, LeaseName, LeaseStore as _, MessageId, NewMessage, OpenOptions,
    QueueAdmin as _, QueueName, QueueStore as _, Receive, Result, Settled, Settlement,
    StoreErrorKind as Kind,
};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use uuid::Uuid;

/// A node with locks; it ends with this.
struct Node {
    contact: String,
    folder: PathBuf,
}

fn launcher() -> Command {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    Command::new(format!("{root}/tests/cassandra/cluster"))
}

impl Node {
    fn start() -> Self {
        let cluster = std::env::var("LONGSHORE_TEST_CASSANDRA_DIR");
        let cluster = cluster.expect("LONGSHORE_TEST_CASSANDRA_DIR, which `tests/run unit` sets");
        let jars = std::fs::read_to_string(format!("{cluster}/jars")).expect("the jars");
        let folder = std::env::temp_dir().join(format!("longshore-locked-{}", std::process::id()));
        let owner = std::process::id().to_string();
        let started = launcher()
            .args([
                "--jars",
                jars.trim(),
                "--nodes",
                "1",
                "--owner",
                &owner,
                "--locked",
            ])
            .arg("--dir")
            .arg(&folder)
            .arg("start")
            .output()
            .expect("the launcher");
        let words = String::from_utf8_lossy(&started.stderr);
        assert!(started.status.success(), "{words}");
        let told = String::from_utf8(started.stdout).expect("words");
        let contact = told
            .trim()
            .split_once('=')
            .expect("an address")
            .1
            .to_owned();
        Self { contact, folder }
    }

    /// A bare connection of the first role.
    async fn session(&self) -> Session {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let builder = SessionBuilder::new().known_node(&self.contact);
            match builder.user("cassandra", "cassandra").build().await {
                Ok(session) => return session,
                // The node makes its first role some time after it serves.
                Err(error) => assert!(Instant::now() < until, "{error}"),
            }
        }
    }

    /// A bare connection of a role of the docs.
    async fn bare(&self, role: &str) -> Session {
        let builder = SessionBuilder::new().known_node(&self.contact);
        let session = builder.user(role, "CHANGE-ME").build().await;
        session.expect("a connection")
    }

    async fn open(&self, scheme: &str, who: &str, keys: &str) -> Result<Arc<CassandraStore>> {
        let Self { contact, .. } = self;
        let url = format!("{scheme}://{who}{contact}/longshore?rf=1&timeout=20s{keys}");
        let url = url.parse().expect("a URL");
        longshore_cassandra::open(&url, OpenOptions::default()).await
    }

    fn file(&self, name: &str) -> String {
        self.folder.join("tls").join(name).display().to_string()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let stopped = launcher()
            .arg("--dir")
            .arg(&self.folder)
            .arg("stop")
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!("the node in {} may still run", self.folder.display());
        }
    }
}

/// The statements that `docs/cassandra.md` tells operators to run, block by block: before the
/// tables are made, after it, and for `doctor`.
fn grants() -> Vec<Vec<String>> {
    let docs = include_str!("../../../docs/cassandra.md");
    let rights = docs
        .split("## Rights")
        .nth(1)
        .expect("the section on rights");
    let rights = rights.split("\n## ").next().expect("its end");
    rights.split("```sql").skip(1).map(statements).collect()
}

fn statements(block: &str) -> Vec<String> {
    let block = block.split("```").next().expect("its end");
    let lines = block
        .lines()
        .map(|line| line.split("--").next().unwrap_or(line));
    let text = lines.collect::<Vec<_>>().join("\n");
    let all = text.split(';').map(|cql| cql.trim().to_owned());
    all.filter(|cql| !cql.is_empty()).collect()
}

fn new(number: u128) -> NewMessage {
    let id = MessageId::from_uuid(Uuid::from_u128(number));
    let kind = JobKind::new("job").expect("a kind");
    NewMessage::new(id, IdOrigin::Fresh, kind, Bytes::from_static(b"x"))
}

fn denied<T: std::fmt::Debug>(result: Result<T>, what: &str) {
    let error = result.expect_err(what);
    assert_eq!(error.kind(), Kind::Denied, "{what}: {error}");
    assert!(!error.to_string().contains("CHANGE-ME"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_may_do_their_work_and_no_more_and_tls_wants_the_right_names() {
    let node = Node::start();
    let session = node.session().await;
    let blocks = grants();
    assert_eq!(blocks.len(), 3, "before the tables, after them, for doctor");
    let run = async |block: &[String]| {
        for cql in block {
            let done = session.query_unpaged(cql.as_str(), ()).await;
            done.unwrap_or_else(|error| panic!("{cql}: {error}"));
        }
    };
    run(&blocks[0]).await;
    let url = |role: &str| format!("longshore_{role}:CHANGE-ME@");
    node.open("cassandra", &url("schema"), "")
        .await
        .expect("the tables are made");
    run(&blocks[1]).await;
    run(&blocks[2]).await;
    produces_and_works(&node, &url).await;
    speaks_tls(&node, &url("worker")).await;
}

async fn produces_and_works(node: &Node, url: &dyn Fn(&str) -> String) {
    let queue = QueueName::new("q").expect("a name");
    let receive = Receive {
        batch_max: std::num::NonZeroU32::MIN,
        lease: Duration::from_secs(60),
        wait_max: Duration::from_secs(20),
    };
    let manual = "&schema=manual&shards=1";
    let producer = node.open("cassandra", &url("producer"), manual).await;
    let producer = producer.expect("a producer");
    producer.enqueue(&queue, &[new(1)]).await.expect("enqueue");
    denied(
        producer.receive(&queue, receive).await,
        "a producer receives",
    );

    let worker = node
        .open("cassandra", &url("worker"), manual)
        .await
        .expect("a worker");
    let received = worker.receive(&queue, receive).await.expect("receive");
    let settlement = Settlement {
        receipt: received.deliveries[0].receipt.clone(),
        disposition: Disposition::Ack,
    };
    denied(
        producer
            .settle(&queue, std::slice::from_ref(&settlement))
            .await,
        "a producer settles",
    );
    let settled = worker.settle(&queue, &[settlement]).await.expect("settle");
    assert_eq!(settled, [Settled::Applied]);
    let name = LeaseName::new("one").expect("a name");
    let lease = worker.acquire(&name, "me", Duration::from_secs(60)).await;
    assert!(lease.expect("acquire").is_some());
    let findings = worker.check().await.expect("check");
    let durability = findings.iter().find(|it| it.check == "durability");
    assert!(durability.is_some_and(|it| it.found.contains("copies of each message: 1")));
    let bare = node.bare("longshore_worker").await;
    let cql = "UPDATE longshore.meta SET version = 3 WHERE name = 'schema' IF version = 2";
    for cql in [cql, "DROP TABLE longshore.settled"] {
        let refused = bare.query_unpaged(cql, ()).await.expect_err(cql);
        assert!(refused.to_string().contains("no "), "{cql}: {refused}");
    }

    denied(
        node.open("cassandra", "longshore_worker:wrong@", manual)
            .await,
        "a wrong password",
    );
    denied(node.open("cassandra", "", manual).await, "no password");
}

async fn speaks_tls(node: &Node, who: &str) {
    let (ca, cert, key) = (
        node.file("ca.pem"),
        node.file("client.pem"),
        node.file("client.key"),
    );
    let ours = format!("&schema=manual&ca={ca}&cert={cert}&key={key}");
    node.open("cassandra+tls", who, &ours).await.expect("TLS");
    let refused = async |keys: String, what: &str| {
        let opened = node.open("cassandra+tls", who, &keys).await;
        opened.expect_err(what)
    };
    let foreign = format!("&schema=manual&ca={cert}&cert={cert}&key={key}");
    let error = refused(foreign, "a foreign authority").await;
    assert_eq!(error.kind(), Kind::Misconfigured, "{error}");
    assert!(error.to_string().contains("no TLS connection"), "{error}");
    // Which of the two ends notices first is chance.
    let error = refused(format!("&schema=manual&ca={ca}"), "no client certificate").await;
    assert!(
        matches!(error.kind(), Kind::Misconfigured | Kind::Unavailable),
        "{error}"
    );
    assert!(error.to_string().contains("cert"), "{error}");
}
