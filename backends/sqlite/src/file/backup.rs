//! Copying the database while it is used.
//!
//! SQLite copies it into a new file in one read transaction, so writers go on; meanwhile the WAL
//! cannot be cut. A copy of the files by other means may miss what is in the WAL, or take half of a
//! checkpoint; and a process that opens and closes the database file by itself drops the locks that
//! SQLite holds on it there.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use longshore_core::{Backup, Result, StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::database::connect;
use crate::error::sql;
use crate::file::lock::private;
use crate::store::SqliteStore;

const OPERATION: &str = "backup";

#[async_trait]
impl Backup for SqliteStore {
    async fn backup(&self, to: &Path) -> Result<u64> {
        let (from, to) = (self.current().place.file.clone(), to.to_owned());
        let copying = tokio::task::spawn_blocking(move || copy(&from, &to));
        copying.await.map_err(|error| {
            StoreError::new(StoreErrorKind::Unexpected, OPERATION, "the copying stopped")
                .caused_by(error)
        })?
    }
}

/// A copy that is not finished; it is removed with this.
struct Half(Option<PathBuf>);

impl Drop for Half {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

fn copy(from: &Path, to: &Path) -> Result<u64> {
    // Made here, so that nobody else can read it: SQLite takes an empty file as none.
    let made = private(&mut OpenOptions::new())
        .write(true)
        .create_new(true)
        .open(to);
    made.map_err(|error| unwritten(to, error))?;
    let mut half = Half(Some(to.to_owned()));
    let name = to.to_str().ok_or_else(|| {
        StoreError::invalid_input(
            OPERATION,
            "the name of the copy is no UTF-8; choose another",
        )
    })?;
    let reader = connect::copier(from).map_err(|error| sql(OPERATION, error))?;
    reader
        .execute("VACUUM INTO ?1", [name])
        .map_err(|error| sql(OPERATION, error))?;
    drop(reader);
    into_wal(to).map_err(|error| sql(OPERATION, error))?;
    let bytes = on_disk(to).map_err(|error| unwritten(to, error))?;
    half.0 = None;
    Ok(bytes)
}

/// A copy is a database of the ordinary kind; ours are in WAL mode, which the file itself says.
fn into_wal(file: &Path) -> rusqlite::Result<()> {
    let conn = Connection::open(file)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
}

/// Waits until the copy is on the disk.
fn on_disk(file: &Path) -> std::io::Result<u64> {
    let copy = File::open(file)?;
    copy.sync_all()?;
    if let Some(folder) = file.parent() {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        File::open(folder)?.sync_all()?;
    }
    Ok(copy.metadata()?.len())
}

fn unwritten(to: &Path, error: std::io::Error) -> StoreError {
    use std::io::ErrorKind;
    let (kind, words) = match error.kind() {
        ErrorKind::AlreadyExists => (
            StoreErrorKind::InvalidInput,
            "there is a file of this name; a copy is written into a new one",
        ),
        ErrorKind::NotFound => (StoreErrorKind::InvalidInput, "there is no such folder"),
        ErrorKind::PermissionDenied => (StoreErrorKind::Denied, "this user may not write there"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (StoreErrorKind::Overloaded, "there is no room for the copy")
        }
        _ => (StoreErrorKind::Unavailable, "the copy cannot be written"),
    };
    StoreError::new(kind, OPERATION, words)
        .with("path", to.display())
        .caused_by(error)
}
