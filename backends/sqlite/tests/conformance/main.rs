//! The conformance suite on SQLite files.

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use longshore_conformance::{Harness, Subject, same_time};
use longshore_core::{Backend, Clock, ManualClock, NewMessage, OpenOptions, QueueName, StoreUrl};
use longshore_memory::MemoryStore;
use rusqlite::params;
use tempfile::TempDir;

struct Sqlite;

#[async_trait]
impl Harness for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn open(&self, clock: Arc<ManualClock>) -> Box<dyn Subject> {
        let dir = tempfile::tempdir().expect("a directory");
        let store = opened(&dir, clock.clone()).await;
        Box::new(Opened { store, clock, dir })
    }

    fn model(&self, clock: Arc<ManualClock>) -> Backend {
        Arc::new(MemoryStore::new(clock)).backend()
    }

    fn property_cases(&self) -> u32 {
        64
    }
}

struct Opened {
    store: Backend,
    clock: Arc<ManualClock>,
    dir: TempDir,
}

async fn opened(dir: &TempDir, clock: Arc<dyn Clock>) -> Backend {
    let url: StoreUrl = format!("sqlite://{}/queue.db", dir.path().display())
        .parse()
        .expect("a URL");
    let mut options = OpenOptions::default();
    options.clock = Some(clock);
    longshore_sqlite::open(&url, &options).await.expect("open")
}

#[async_trait]
impl Subject for Opened {
    fn backend(&self) -> Backend {
        self.store.clone()
    }

    async fn reopen(&self) -> Backend {
        opened(&self.dir, same_time(&self.clock)).await
    }

    async fn plant(&self, queue: &QueueName, new: &NewMessage, head: Vec<u8>, body: Vec<u8>) {
        let stored = self.store.queues.enqueue(queue, std::slice::from_ref(new));
        stored.await.expect("enqueue");
        let conn = rusqlite::Connection::open(self.dir.path().join("queue.db")).expect("open");
        let changed = conn.execute(
            "UPDATE message SET head = ?2, body = ?3 WHERE id = ?1",
            params![new.id.as_uuid().as_bytes(), head, body],
        );
        assert_eq!(changed.expect("update"), 1);
    }
}

fn main() -> ExitCode {
    longshore_conformance::main(vec![Ok(Arc::new(Sqlite))])
}
