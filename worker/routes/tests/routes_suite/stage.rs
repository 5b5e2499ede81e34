//! A folder, a store, and runs of route files on them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use longshore::core::{MessageId, NewMessage, Page, QueueStats, StoredMessage};
use longshore::{Connection, IdOrigin, JobKind, QueueName};
pub(crate) use longshore_conformance::until;
use longshore_routes::{
    self as routes, Ended, ReadyRunner, RouteSet, Runner, RunnerHandle, Summary,
};

/// Nothing in these tests takes longer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A folder of its own and a store of its own.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    pub(crate) connection: Connection,
}

impl Stage {
    /// On a store in memory.
    pub(crate) async fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let url = format!("memory://routes-{}-{number}", std::process::id());
        Self {
            folder: tempfile::tempdir().unwrap(),
            connection: longshore::connect(&url).await.unwrap(),
        }
    }

    /// On a SQLite file in the folder.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/queue.db", folder.path().display());
        Self {
            connection: longshore::connect(&url).await.unwrap(),
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A script that can be run.
    pub(crate) fn script(&self, name: &str, content: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.write(name, format!("#!/bin/sh\n{content}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn load(&self, text: &str) -> RouteSet {
        let path = self.write("routes.toml", text);
        routes::load(&[path], &|_| None).unwrap_or_else(|errors| {
            panic!(
                "{}",
                errors
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("\n")
            )
        })
    }

    pub(crate) async fn enqueue(&self, queue: &str, bodies: &[&str]) -> Vec<MessageId> {
        let mut ids = Vec::new();
        for body in bodies {
            ids.push(self.enqueue_with(queue, body, &[], "message").await);
        }
        ids
    }

    pub(crate) async fn enqueue_with(
        &self,
        queue: &str,
        body: &str,
        headers: &[(&str, &str)],
        kind: &str,
    ) -> MessageId {
        let id = MessageId::from_uuid(uuid::Uuid::now_v7());
        let kind = JobKind::new(kind).unwrap();
        let mut message = NewMessage::new(id, IdOrigin::Fresh, kind, body.as_bytes().to_vec());
        message.headers = headers.iter().copied().collect();
        let queue = QueueName::new(queue).unwrap();
        let queues = &self.connection.backend().queues;
        queues.enqueue(&queue, &[message]).await.unwrap();
        id
    }

    pub(crate) fn runner(&self, text: &str) -> Runner {
        Runner::new(self.load(text), self.connection.clone())
    }

    /// Runs a file until nothing is left.
    pub(crate) async fn run(&self, text: &str) -> Summary {
        let ready = self.runner(text).until_idle(true).prepare().await.unwrap();
        finish(ready).await
    }

    /// Runs a file as a task, until the handle says stop.
    pub(crate) async fn start(&self, text: &str) -> Running {
        let ready = self.runner(text).prepare().await.unwrap();
        Running {
            handle: ready.handle(),
            task: tokio::spawn(finish(ready)),
        }
    }

    pub(crate) async fn stats(&self, queue: &str) -> QueueStats {
        let queue = QueueName::new(queue).unwrap();
        let stats = self.connection.backend().admin.stats(&queue).await.unwrap();
        stats.unwrap_or_default()
    }

    pub(crate) async fn dead(&self, queue: &str) -> Vec<StoredMessage> {
        let queue = QueueName::new(queue).unwrap();
        let max = std::num::NonZeroU32::new(1000).unwrap();
        let page: Page<_> = self
            .connection
            .backend()
            .admin
            .dead_letters(&queue, None, max)
            .await
            .unwrap();
        page.items
    }

    /// Label and error of the only dead letter.
    pub(crate) async fn only_death(&self, queue: &str) -> (String, String) {
        let dead = self.dead(queue).await;
        assert_eq!(dead.len(), 1, "dead letters of {queue}: {dead:?}");
        let last = &dead[0].history.last().expect("a record").record;
        (last.label.to_string(), last.error.clone())
    }

    /// The messages of a queue: body by id.
    pub(crate) async fn waiting(&self, queue: &str) -> BTreeMap<MessageId, String> {
        let queue = QueueName::new(queue).unwrap();
        let max = std::num::NonZeroU32::new(1000).unwrap();
        let page = self
            .connection
            .backend()
            .admin
            .peek(&queue, None, max)
            .await
            .unwrap();
        let messages = page.items.iter().filter_map(|stored| stored.message());
        messages
            .map(|message| {
                (
                    message.id,
                    String::from_utf8_lossy(&message.body).into_owned(),
                )
            })
            .collect()
    }
}

/// Runs to the end, within the deadline.
pub(crate) async fn finish(ready: ReadyRunner) -> Summary {
    let run = ready.run(std::future::pending(), std::future::pending());
    let done = tokio::time::timeout(DEADLINE, run).await;
    done.expect("the run ends in time")
        .expect("the run does not fail")
}

/// A run that goes on.
pub(crate) struct Running {
    pub(crate) handle: RunnerHandle,
    task: tokio::task::JoinHandle<Summary>,
}

impl Running {
    pub(crate) async fn stop(self) -> Summary {
        self.handle.stop();
        let summary = self.task.await.unwrap();
        assert_eq!(summary.ended, Ended::Stopped);
        summary
    }

    /// Ends it as a kill would: nothing is settled, nothing is given back.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Numbered lines.
pub(crate) fn numbered(lines: u64) -> String {
    let lines: Vec<_> = (0..lines).map(|n| format!("line-{n}\n")).collect();
    lines.concat()
}
