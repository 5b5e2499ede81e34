//! Several servers that belong together.

use std::time::{Duration, Instant};

use redis::Value;

use super::commands::Commands as _;
use longshore_redis_server::{Server, free_port};

/// A condition may take this long to come true.
const SETTLE_MAX: Duration = Duration::from_secs(30);

/// Asks again until a condition holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < SETTLE_MAX, "it never came true: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A primary, two replicas and three Sentinels that watch over them.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) servers: Vec<Server>,
    pub(crate) sentinels: Vec<Server>,
}

impl Watched {
    pub(crate) async fn start() -> Self {
        let primary = Server::start(&["--repl-diskless-sync-delay", "0"]).expect("a primary");
        let port = primary.port().to_string();
        let replicas = [(); 2]
            .map(|()| Server::start(&["--replicaof", "127.0.0.1", &port]).expect("a replica"));
        let mut servers = vec![primary];
        servers.extend(replicas);
        until("both replicas are connected", || async {
            let told = text(servers[0].command(&["INFO", "replication"]).await);
            told.matches("state=online").count() == 2
        })
        .await;
        let mut sentinels = Vec::new();
        for _ in 0..3 {
            sentinels.push(Server::start(&["--sentinel"]).expect("a sentinel"));
        }
        for sentinel in &sentinels {
            let watch = ["SENTINEL", "MONITOR", "main", "127.0.0.1", &port, "2"];
            sentinel.command(&watch).await;
            for (key, value) in [
                ("down-after-milliseconds", "500"),
                ("failover-timeout", "3000"),
            ] {
                sentinel
                    .command(&["SENTINEL", "SET", "main", key, value])
                    .await;
            }
        }
        until("the sentinels know each other and the replicas", || async {
            let told = text(sentinels[0].command(&["INFO", "sentinel"]).await);
            told.contains("slaves=2,sentinels=3")
        })
        .await;
        Self { servers, sentinels }
    }

    /// The URL of the service, with a query.
    pub(crate) fn url(&self, query: &str) -> String {
        let hosts: Vec<String> = self
            .sentinels
            .iter()
            .map(|one| format!("127.0.0.1:{}", one.port()))
            .collect();
        format!("redis+sentinel://{}/main/0?{query}", hosts.join(","))
    }
}

/// Three primaries that share the slots.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) servers: Vec<Server>,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let mut servers = Vec::new();
        for _ in 0..3 {
            let bus = free_port().to_string();
            servers.push(
                Server::start(&["--cluster-enabled", "yes", "--cluster-port", &bus])
                    .expect("a node"),
            );
        }
        let slots = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
        for (server, (first, last)) in servers.iter().zip(slots) {
            server
                .command(&["CLUSTER", "ADDSLOTSRANGE", first, last])
                .await;
        }
        for server in &servers[1..] {
            let port = servers[0].port().to_string();
            let bus = text(servers[0].command(&["CONFIG", "GET", "cluster-port"]).await);
            let bus = bus.rsplit('\n').next().unwrap_or_default().to_owned();
            server
                .command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])
                .await;
        }
        for server in &servers {
            until("the cluster is up", || async {
                let info = text(server.command(&["CLUSTER", "INFO"]).await);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            })
            .await;
        }
        Self { servers }
    }

    pub(crate) fn url(&self, query: &str) -> String {
        format!(
            "redis+cluster://127.0.0.1:{}?{query}",
            self.servers[0].port()
        )
    }
}

/// An answer as text, lists line by line.
pub(crate) fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text,
        Value::Array(items) => items.into_iter().map(text).collect::<Vec<_>>().join("\n"),
        Value::Int(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}
