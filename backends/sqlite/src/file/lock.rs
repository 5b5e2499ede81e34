//! The lock file beside the database: whose turn it is to write.

use std::fs::{File, OpenOptions};
use std::path::Path;

/// An exclusive lock among the processes that write one database.
///
/// Measured against the waiting of SQLite itself, which polls, it is about twice as fast with
/// four processes, and the turns are shared out evenly.
#[derive(Debug)]
pub(crate) struct SideLock {
    file: File,
}

/// The right to write, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a File);

impl SideLock {
    /// Opens the lock file, creating it where it is missing.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let file = companion(path)?;
        Ok(Self { file })
    }

    /// Waits for the turn. The callers have deadlines of their own: this one may wait for as
    /// long as a stopped process holds the lock.
    pub(crate) fn take(&self) -> std::io::Result<Turn<'_>> {
        self.file.lock()?;
        Ok(Turn(&self.file))
    }

    /// Takes the turn if it is free.
    pub(crate) fn try_take(&self) -> std::io::Result<Option<Turn<'_>>> {
        match self.file.try_lock() {
            Ok(()) => Ok(Some(Turn(&self.file))),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock file could not be unlocked");
        }
    }
}

/// Makes files that are created readable by their owner alone.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

/// Opens a file beside the database for writing, and makes it where it is missing. What another
/// process planted there instead is refused: a link would have another file written, and a pipe
/// would be waited for without an end.
pub(crate) fn companion(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let opened = private(&mut OpenOptions::new())
        .create(true)
        .truncate(false)
        .write(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    let planted = || {
        let what = "it is a link, a pipe or another thing that is no regular file; remove it";
        std::io::Error::new(std::io::ErrorKind::InvalidData, what)
    };
    match opened {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Ok(_) => Err(planted()),
        Err(error) => Err(match std::fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => planted(),
            _ => error,
        }),
    }
}
