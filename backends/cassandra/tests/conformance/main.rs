//! The conformance suite on a real cluster of three nodes.
//!
//! The cluster is named by `LONGSHORE_TEST_CASSANDRA`; `tests/run` starts one and sets it.

mod keyspace;
mod order;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use keyspace::{Cassandra, url};
use longshore_cassandra::{CassandraStore, Shared, backend};
use longshore_conformance::{Harness, Subject};
use longshore_core::{Backend, ManualClock, NewMessage, QueueName, StoreUrl};
use longshore_memory::MemoryStore;
use order::ORDER;

/// Stores whose queues have the default number of shards, or one.
struct Sharded {
    is_ordered: bool,
    cassandra: Arc<Cassandra>,
}

#[async_trait]
impl Harness for Sharded {
    fn name(&self) -> &'static str {
        if self.is_ordered {
            "cassandra_ordered"
        } else {
            "cassandra"
        }
    }

    async fn open(&self, clock: Arc<ManualClock>) -> Box<dyn Subject> {
        let cassandra = &self.cassandra;
        let cell = cassandra.cells.fetch_add(1, Ordering::Relaxed) % 32_000;
        let keys = if self.is_ordered { "&shards=1" } else { "" };
        let url = url(&cassandra.contacts, &cassandra.keyspace, cell, keys);
        let open = cassandra.shared.open(&url, clock.clone());
        Box::new(Opened {
            shared: cassandra.shared.clone(),
            url,
            store: open.expect("open"),
            clock,
        })
    }

    fn model(&self, clock: Arc<ManualClock>) -> Backend {
        Arc::new(MemoryStore::new(clock)).backend()
    }

    fn property_cases(&self) -> u32 {
        16
    }

    fn excluded(&self) -> &'static [(&'static str, &'static str)] {
        if self.is_ordered { &[] } else { &ORDER }
    }

    fn only(&self) -> Option<&'static [(&'static str, &'static str)]> {
        self.is_ordered.then_some(&ORDER)
    }
}

struct Opened {
    shared: Shared,
    url: StoreUrl,
    store: Arc<CassandraStore>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Subject for Opened {
    fn backend(&self) -> Backend {
        backend(self.store.clone())
    }

    async fn reopen(&self) -> Backend {
        let open = self.shared.open(&self.url, self.clock.clone());
        backend(open.expect("open"))
    }

    async fn plant(&self, queue: &QueueName, new: &NewMessage, head: Vec<u8>, body: Vec<u8>) {
        let stored = self.store.plant(queue, new, head, body);
        stored.await.expect("plant");
    }
}

fn main() -> ExitCode {
    let cassandra = match Cassandra::start() {
        Ok(cassandra) => Arc::new(cassandra),
        Err(missing) => return longshore_conformance::main(vec![Err(missing)]),
    };
    let harness = |is_ordered| -> Arc<dyn Harness> {
        let cassandra = cassandra.clone();
        Arc::new(Sharded {
            is_ordered,
            cassandra,
        })
    };
    let code = longshore_conformance::main(vec![Ok(harness(false)), Ok(harness(true))]);
    cassandra.clean();
    code
}
