//! A keyspace of its own on the cluster of the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use longshore_cassandra::CassandraStore;
use longshore_core::{OpenOptions, Result, StoreUrl};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;

static KEYSPACES: AtomicU32 = AtomicU32::new(0);

/// A name of a keyspace that does not exist yet, and a bare connection.
pub(crate) struct Stage {
    contacts: String,
    pub(crate) keyspace: String,
    session: Session,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let contacts = std::env::var("LONGSHORE_TEST_CASSANDRA");
        let contacts = contacts.expect("LONGSHORE_TEST_CASSANDRA, which `tests/run unit` sets");
        let number = KEYSPACES.fetch_add(1, Ordering::Relaxed);
        let nodes: Vec<_> = contacts.split(',').collect();
        let session = SessionBuilder::new().known_nodes(nodes).build().await;
        Self {
            keyspace: format!("op{:x}_{number}", std::process::id()),
            contacts,
            session: session.expect("a cluster"),
        }
    }

    pub(crate) fn url(&self, keys: &str) -> StoreUrl {
        let Self {
            contacts, keyspace, ..
        } = self;
        let text = format!("cassandra://{contacts}/{keyspace}?timeout=30s&shards=1{keys}");
        text.parse().expect("a URL")
    }

    /// Makes the keyspace and opens it, for queues of so many shards.
    pub(crate) async fn open_sharded(&self, shards: u32) -> Result<Arc<CassandraStore>> {
        let url = self.url("").to_string();
        let url = url.replace("shards=1", &format!("shards={shards}"));
        let url = url.parse().expect("a URL");
        longshore_cassandra::open(&url, OpenOptions::default()).await
    }

    /// Opens the keyspace; creates it where that is wanted.
    pub(crate) async fn open(&self, keys: &str, create: bool) -> Result<Arc<CassandraStore>> {
        let mut options = OpenOptions::default();
        options.create = create;
        options.call_timeout = Duration::from_secs(30);
        longshore_cassandra::open(&self.url(keys), options).await
    }

    /// Runs a statement as a person with `cqlsh` would; `KS` stands for the keyspace.
    pub(crate) async fn cql(&self, cql: &str) {
        let cql = cql.replace("KS", &self.keyspace);
        let done = self.session.query_unpaged(cql.as_str(), ()).await;
        done.unwrap_or_else(|error| panic!("{cql}: {error}"));
    }

    pub(crate) async fn end(self) {
        self.cql("DROP KEYSPACE IF EXISTS KS").await;
    }
}
