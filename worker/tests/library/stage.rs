//! What the tests share: stores of their own, jobs, and waiting for a condition.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longshore::core::{QueueName, QueueStats, StoredMessage};
use longshore::prelude::*;
use longshore::test_kit::ManualClock;
use longshore::{RunReport, WorkerHandle, connect_with};
pub(crate) use longshore_conformance::until;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A job that carries a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Count {
    pub(crate) number: u64,
}

impl Job for Count {
    const KIND: &'static str = "count";
}

pub(crate) fn count(number: u64) -> Count {
    Count { number }
}

/// A store of its own for each test.
pub(crate) struct Stage {
    pub(crate) connection: Connection,
    pub(crate) clock: Option<Arc<ManualClock>>,
    _folder: Option<TempDir>,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

fn memory_url() -> String {
    format!("memory://library-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Stage {
    /// A memory store on the time of this host.
    pub(crate) async fn memory() -> Self {
        let connection = longshore::connect(&memory_url()).await.unwrap();
        Self {
            connection,
            clock: None,
            _folder: None,
        }
    }

    /// A memory store whose clock stands still.
    pub(crate) async fn manual() -> Self {
        let clock = Arc::new(ManualClock::default());
        let mut options = OpenOptions::default();
        options.clock = Some(clock.clone());
        let connection = connect_with(&memory_url(), options).await.unwrap();
        Self {
            connection,
            clock: Some(clock),
            _folder: None,
        }
    }

    /// A new SQLite file.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/queue.db", folder.path().display());
        let connection = longshore::connect(&url).await.unwrap();
        Self {
            connection,
            clock: None,
            _folder: Some(folder),
        }
    }

    pub(crate) fn queue(&self) -> Queue {
        self.connection.queue("work").unwrap()
    }

    pub(crate) async fn stats(&self) -> QueueStats {
        let name = QueueName::new("work").unwrap();
        let stats = self.connection.backend().admin.stats(&name).await.unwrap();
        stats.unwrap_or_default()
    }

    pub(crate) async fn dead(&self) -> Vec<StoredMessage> {
        let name = QueueName::new("work").unwrap();
        let admin = &self.connection.backend().admin;
        let max = std::num::NonZeroU32::new(1000).unwrap();
        admin.dead_letters(&name, None, max).await.unwrap().items
    }

    pub(crate) async fn peek(&self) -> Vec<StoredMessage> {
        let name = QueueName::new("work").unwrap();
        let admin = &self.connection.backend().admin;
        let max = std::num::NonZeroU32::new(1000).unwrap();
        admin.peek(&name, None, max).await.unwrap().items
    }

    pub(crate) fn worker(&self) -> longshore::WorkerBuilder {
        Worker::builder(self.connection.clone()).idle_wait(Duration::from_millis(50))
    }

    /// Waits until nothing is left to work.
    pub(crate) async fn until_empty(&self) {
        until("the queue is empty", async || {
            self.stats().await.live() == 0
        })
        .await;
    }
}

/// A worker that runs beside the test.
pub(crate) struct Running {
    pub(crate) handle: WorkerHandle,
    task: JoinHandle<Result<RunReport, longshore::RunError>>,
}

pub(crate) fn start(worker: Worker) -> Running {
    let handle = worker.handle();
    let task = tokio::spawn(worker.run_until(std::future::pending()));
    Running { handle, task }
}

impl Running {
    pub(crate) async fn stop(self) -> RunReport {
        self.handle.stop();
        self.task.await.unwrap().unwrap()
    }

    pub(crate) async fn ended(self) -> Result<RunReport, longshore::RunError> {
        self.task.await.unwrap()
    }
}
