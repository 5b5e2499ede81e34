//! The bell: a file of one byte that tells other processes to look again.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::mpsc::SyncSender;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::side_lock::private;

/// Rings the bell. The WAL file would not do: it changes before a commit can be seen.
#[derive(Debug)]
pub(crate) struct Bell {
    file: File,
}

impl Bell {
    /// Opens the bell file, creating it where it is missing.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let file = private(&mut OpenOptions::new())
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        Ok(Self { file })
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
