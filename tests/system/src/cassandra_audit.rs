//! A look at the tables that shares no code with longshore.

use std::collections::BTreeSet;
use std::time::Duration;

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::deserialize::row::DeserializeRow;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::until;

/// For so long a busy cluster may refuse.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to the tables of one store.
#[derive(Debug)]
pub struct CassandraAudit {
    runtime: Runtime,
    session: Session,
    keyspace: String,
    cell: i16,
}

impl CassandraAudit {
    /// Connects to the store of a URL that names its cell.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn connect(store: &str) -> Self {
        let (hosts, rest) = store
            .strip_prefix("cassandra://")
            .and_then(|rest| rest.split_once('/'))
            .expect("a URL of a Cassandra store");
        let (keyspace, query) = rest.split_once('?').expect("a URL with settings");
        let cell = query.split('&').find_map(|pair| pair.strip_prefix("cell="));
        let cell = cell.and_then(|cell| cell.parse().ok()).expect("a cell");
        let runtime = Runtime::new().expect("a runtime");
        let builder = SessionBuilder::new().known_nodes(hosts.split(','));
        let session = runtime
            .block_on(builder.build())
            .expect("the cluster answers");
        Self {
            runtime,
            session,
            keyspace: keyspace.to_owned(),
            cell,
        }
    }

    /// The processes that own a stripe of the cell.
    ///
    /// # Panics
    ///
    /// When the cluster does not answer.
    pub fn owners(&self) -> BTreeSet<Uuid> {
        let ask = format!("SELECT cell, owner FROM {}.stripe_owner", self.keyspace);
        let rows: Vec<(i16, Option<Uuid>)> = self.read(&ask);
        let here = rows.into_iter().filter(|(cell, _)| *cell == self.cell);
        here.filter_map(|(_, owner)| owner).collect()
    }

    /// Writes down of a process that it is dead, as another one does that has not heard of it.
    ///
    /// # Panics
    ///
    /// When the cluster does not answer.
    pub fn declare_dead(&self, process: Uuid) {
        let told = format!(
            "UPDATE {}.member SET state = 'dead' WHERE cell = {} AND process = {process} \
             IF state = 'up'",
            self.keyspace, self.cell
        );
        // Beside the signs of life of the process itself it may take several tries.
        until("a transaction to be answered", PATIENCE, || {
            let done = self.session.query_unpaged(told.as_str(), ());
            self.runtime.block_on(done).is_ok()
        });
    }

    fn read<R>(&self, ask: &str) -> Vec<R>
    where
        R: for<'f> DeserializeRow<'f, 'f>,
    {
        let answer = self.runtime.block_on(self.session.query_unpaged(ask, ()));
        let rows = answer.expect("the cluster answers").into_rows_result();
        let rows = rows.expect("rows");
        let read = rows.rows::<R>().expect("the columns that were asked for");
        read.collect::<Result<_, _>>()
            .expect("rows that can be read")
    }
}
