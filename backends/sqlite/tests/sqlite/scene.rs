//! A directory with a store in it, and the calls in short form.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longshore_core::{
    Backend, Clock, Delivery, Disposition, IdOrigin, JobKind, MessageId, NewMessage, OpenOptions,
    QueueName, Receive, Result, Settlement, StepListener, StoreError, StoreUrl, Timestamp,
};
use longshore_sqlite::Host;
use tempfile::TempDir;
use uuid::Uuid;

/// The clock of the host. Handles with different clocks share nothing but the file, as two
/// processes do.
#[derive(Debug)]
struct HostClock;

impl Clock for HostClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the time of the host, as another process reads it"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_millis(since.as_millis() as i64)
    }

    fn on_step(&self, _listener: Weak<dyn StepListener>) {}
}

/// A directory for one store.
pub(crate) struct Scene(TempDir);

impl Scene {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }

    /// The time as a store without an injected clock reads it.
    #[expect(
        clippy::unused_self,
        reason = "reads like the other questions to a scene"
    )]
    pub(crate) fn now(&self) -> Timestamp {
        HostClock.now()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.beside("")
    }

    /// A companion of the database.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        self.directory().join(format!("q.db{suffix}"))
    }

    pub(crate) async fn open(&self) -> Backend {
        self.try_open("").await.unwrap()
    }

    pub(crate) async fn try_open(&self, query: &str) -> Result<Backend> {
        open(&self.file(), query).await
    }

    /// Opens the file on a host where a sleeping receiver looks again after an hour: only the
    /// bell and due times wake it.
    pub(crate) async fn open_patient(&self) -> Backend {
        let mut options = OpenOptions::default();
        options.clock = Some(Arc::new(HostClock));
        let host = Host {
            look_again: Duration::from_secs(3600),
            ..Host::default()
        };
        let url = url(&self.file(), "");
        longshore_sqlite::open_on(&url, &options, host)
            .await
            .unwrap()
    }

    /// Whether a receiver sleeps, in any process.
    pub(crate) fn somebody_sleeps(&self) -> bool {
        let bell = std::fs::File::open(self.beside("-bell")).unwrap();
        bell.try_lock().is_err()
    }

    /// Opens the file as another process would.
    pub(crate) async fn open_elsewhere(&self, query: &str) -> Backend {
        let mut options = OpenOptions::default();
        options.clock = Some(Arc::new(HostClock));
        longshore_sqlite::open(&url(&self.file(), query), &options)
            .await
            .unwrap()
    }
}

pub(crate) fn url(file: &Path, query: &str) -> StoreUrl {
    format!("sqlite://{}{query}", file.display())
        .parse()
        .unwrap()
}

pub(crate) async fn open(file: &Path, query: &str) -> Result<Backend> {
    longshore_sqlite::open(&url(file, query), &OpenOptions::default()).await
}

pub(crate) async fn refused(file: &Path) -> StoreError {
    open(file, "").await.expect_err("the file is refused")
}

pub(crate) fn queue() -> QueueName {
    QueueName::new("mail").unwrap()
}

pub(crate) fn message(body: impl Into<bytes::Bytes>) -> NewMessage {
    let id = MessageId::from_uuid(Uuid::now_v7());
    NewMessage::new(id, IdOrigin::Fresh, JobKind::default(), body)
}

pub(crate) async fn put(store: &Backend, body: &str) -> Result<()> {
    let batch = [message(body.to_owned())];
    store.queues.enqueue(&queue(), &batch).await.map(drop)
}

pub(crate) async fn take(store: &Backend, max: u32, wait: Duration) -> Vec<Delivery> {
    let request = Receive {
        batch_max: NonZeroU32::new(max).unwrap(),
        lease: Duration::from_secs(30),
        wait_max: wait,
    };
    let received = store.queues.receive(&queue(), request).await;
    received.unwrap().deliveries
}

pub(crate) async fn ack(store: &Backend, deliveries: &[Delivery]) {
    let acks: Vec<_> = deliveries
        .iter()
        .map(|one| Settlement {
            receipt: one.receipt.clone(),
            disposition: Disposition::Ack,
        })
        .collect();
    store.queues.settle(&queue(), &acks).await.unwrap();
}

pub(crate) async fn waiting(store: &Backend) -> u64 {
    let stats = store.admin.stats(&queue()).await.unwrap();
    stats.map_or(0, |stats| stats.waiting)
}
