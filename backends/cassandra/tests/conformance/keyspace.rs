//! The cluster that the environment names.

use std::sync::atomic::AtomicU32;

use longshore_cassandra::Shared;
use longshore_conformance::Missing;
use longshore_core::StoreUrl;
use scylla::client::session_builder::SessionBuilder;
use tokio::runtime::Runtime;

/// Where the contact points stand, as `host:port,host:port`.
const VARIABLE: &str = "LONGSHORE_TEST_CASSANDRA";

/// The cluster of the run, and a keyspace of its own there.
pub(crate) struct Cassandra {
    pub(crate) shared: Shared,
    pub(crate) contacts: String,
    /// New for each run.
    pub(crate) keyspace: String,
    /// Each case has a cell of its own: cells see nothing of each other.
    pub(crate) cells: AtomicU32,
    /// The connection lives on it, while each case has a runtime of its own.
    runtime: Runtime,
}

impl Cassandra {
    pub(crate) fn start() -> Result<Self, Missing> {
        let missing = |why: String| Missing {
            name: "cassandra",
            why,
        };
        let contacts = std::env::var(VARIABLE).map_err(|_| {
            missing(format!(
                "{VARIABLE} is not set; `tests/run conformance` starts three nodes and sets it, \
                 or name yours as 127.0.0.1:9042,127.0.0.2:9042"
            ))
        })?;
        let runtime = Runtime::new().map_err(|error| missing(error.to_string()))?;
        let keyspace = format!("t{:x}", fastrand::u64(..));
        let url = url(&contacts, &keyspace, 0, "");
        let shared = runtime
            .block_on(Shared::connect(&url))
            .map_err(|error| missing(error.to_string()))?;
        Ok(Self {
            shared,
            contacts,
            keyspace,
            cells: AtomicU32::new(1),
            runtime,
        })
    }

    /// Removes what the run left on the cluster.
    pub(crate) fn clean(&self) {
        let nodes: Vec<_> = self.contacts.split(',').collect();
        let drop = format!("DROP KEYSPACE {}", self.keyspace);
        self.runtime.block_on(async {
            let session = SessionBuilder::new().known_nodes(nodes).build().await;
            let session = session.expect("connect");
            session.query_unpaged(drop, ()).await.expect("drop");
        });
    }
}

pub(crate) fn url(contacts: &str, keyspace: &str, cell: u32, keys: &str) -> StoreUrl {
    let text = format!("cassandra://{contacts}/{keyspace}?poll=20ms&cell={cell}{keys}");
    text.parse().expect("a URL")
}
