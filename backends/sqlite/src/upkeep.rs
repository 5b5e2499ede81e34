//! What the writer does beside calls: keeping the WAL short.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::connect::WAL_BYTES_MAX;
use crate::space::Space;

/// Files are looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Checkpoints beyond those that SQLite makes by itself each thousand pages.
#[derive(Debug)]
pub(crate) struct Upkeep {
    wal: PathBuf,
    looked: Instant,
}

impl Upkeep {
    /// For the database `file`.
    pub(crate) fn new(file: &Path) -> Self {
        let mut wal = file.as_os_str().to_owned();
        wal.push("-wal");
        Self {
            wal: wal.into(),
            looked: Instant::now(),
        }
    }

    /// Cuts the WAL where it is too long, or where the disk is so full that it must not grow.
    /// The caller still has the turn to write.
    pub(crate) fn after_commit(&mut self, conn: &Connection, space: &Space) {
        let due = self.looked.elapsed() >= LOOK_EVERY;
        if due {
            self.looked = Instant::now();
            space.look();
        }
        if space.is_low() {
            // Written back at once, the WAL is used again from its start and does not grow.
            checkpoint(conn, "PASSIVE");
        } else if due && std::fs::metadata(&self.wal).is_ok_and(|wal| wal.len() > WAL_BYTES_MAX) {
            checkpoint(conn, "TRUNCATE");
        }
    }
}

fn checkpoint(conn: &Connection, mode: &str) {
    let done = conn.pragma_update_and_check(None, "wal_checkpoint", mode, |_| Ok(()));
    if let Err(error) = done {
        tracing::debug!(%error, mode, "a checkpoint failed");
    }
}
