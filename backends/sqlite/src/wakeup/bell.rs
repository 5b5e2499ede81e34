//! The bell: a file of one byte that tells other processes to look again.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::SyncSender;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::file::lock::companion;

/// Rings the bell. The WAL file would not do: it changes before a commit can be seen.
#[derive(Debug)]
pub(crate) struct Bell {
    file: File,
}

impl Bell {
    /// Opens the bell file, creating it where it is missing.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let file = companion(path)?;
        Ok(Self { file })
    }

    /// Whether anybody sleeps, in any process. Sleepers hold a shared lock on the bell file, so a
    /// lock for one alone is only to be had while nobody does. Who begins to sleep after this
    /// call looks at the table once more and finds what was committed before it.
    pub(crate) fn is_heard(&self) -> bool {
        match self.file.try_lock() {
            Ok(()) => self.file.unlock().is_err(),
            Err(_) => true,
        }
    }

    /// Wakes the watchers of all processes. A bell that cannot be rung only costs time: they
    /// look again each second anyway.
    pub(crate) fn ring(&self) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileExt as _;
            if let Err(error) = self.file.write_at(b"!", 0) {
                tracing::debug!(%error, "the bell could not be rung");
            }
        }
    }
}

/// Tells the writers of all processes that a receive of this process sleeps.
#[derive(Debug)]
pub(crate) struct WaiterLock {
    file: File,
    held: bool,
}

impl WaiterLock {
    /// Of the bell at `path`, which exists. Nobody sleeps yet.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let file = companion(path)?;
        Ok(Self { file, held: false })
    }

    /// A receive sleeps: from now on the bell is rung. Look at the table after this call. Without
    /// the lock waiters still look again each second.
    pub(crate) fn begin(&mut self) {
        if !self.held {
            let locked = self.file.lock_shared();
            self.held = locked.is_ok();
            if let Err(error) = locked {
                tracing::debug!(%error, "the bell file could not be locked");
            }
        }
    }

    /// Nobody sleeps any more.
    pub(crate) fn end(&mut self) {
        if self.held {
            self.held = self.file.unlock().is_err();
        }
    }
}

/// Pokes `ear` each time the bell rings, while the answer is kept. `None` where the system has
/// no watches left.
pub(crate) fn listen(path: &Path, ear: SyncSender<()>) -> Option<RecommendedWatcher> {
    let on_event = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| matches!(event.kind, EventKind::Modify(_))) {
            // A poke that is still unheard covers this one too.
            let _ = ear.try_send(());
        }
    };
    let watcher = notify::recommended_watcher(on_event).and_then(|mut watcher| {
        watcher.watch(path, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watcher
        .inspect_err(|error| {
            tracing::warn!(%error, "the bell cannot be watched: idle workers look once a second");
        })
        .ok()
}
