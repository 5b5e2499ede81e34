//! What the writer does beside calls: keeping the WAL short, and a note of the time.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::clock::moment::Clocks;
use crate::database::connect::{BUSY_TIMEOUT, WAL_BYTES_MAX};
use crate::file::space::Space;

/// Files are looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// While the WAL cannot be cut that is tried this seldom in the end.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// The time of leases is noted this often.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// Checkpoints beyond those that SQLite makes by itself each thousand pages.
#[derive(Debug)]
pub(crate) struct Maintenance {
    wal: PathBuf,
    looked: Instant,
    /// Not before then the WAL is cut again,
    next_cut: Instant,
    /// which is so long after the last try.
    pause: Duration,
    noted: Instant,
}

impl Maintenance {
    /// For the database `file`.
    pub(crate) fn new(file: &Path) -> Self {
        let mut wal = file.as_os_str().to_owned();
        wal.push("-wal");
        Self {
            wal: wal.into(),
            looked: Instant::now(),
            next_cut: Instant::now(),
            pause: LOOK_EVERY,
            noted: Instant::now(),
        }
    }

    /// Cuts the WAL where it is too long, or where the disk is so full that it must not grow.
    /// The caller still has the turn to write.
    pub(crate) fn after_commit(&mut self, conn: &Connection, space: &Space, clocks: &Clocks) {
        if let Some(boot) = clocks.boot()
            && self.noted.elapsed() >= NOTE_EVERY
        {
            self.noted = Instant::now();
            if let Err(error) = boot.keep(conn, &**clocks.wall()) {
                tracing::debug!(%error, "the time of leases could not be noted");
            }
        }
        let due = self.looked.elapsed() >= LOOK_EVERY;
        if due {
            self.looked = Instant::now();
            space.look();
        }
        if space.is_low() {
            // Written back at once, the WAL is used again from its start and does not grow.
            let _ = checkpoint(conn, "PASSIVE");
        } else if due && self.is_worth_a_try() {
            self.cut(conn);
        }
    }

    fn is_worth_a_try(&self) -> bool {
        self.looked >= self.next_cut
            && std::fs::metadata(&self.wal).is_ok_and(|wal| wal.len() > WAL_BYTES_MAX)
    }

    /// Cuts the WAL if that can be done at once. A long read, such as a backup,
    /// makes that impossible, and every process that writes would wait here with the turn to write
    /// in hand.
    fn cut(&mut self, conn: &Connection) {
        let cut = conn
            .busy_timeout(Duration::ZERO)
            .and_then(|()| checkpoint(conn, "TRUNCATE"));
        if let Err(error) = conn.busy_timeout(BUSY_TIMEOUT) {
            tracing::warn!(%error, "the waiting time of the database cannot be set");
        }
        self.pause = if cut == Ok(true) {
            LOOK_EVERY
        } else {
            (self.pause * 2).min(PAUSE_MAX)
        };
        self.next_cut = Instant::now() + self.pause;
    }
}

/// Answers whether all of the WAL was written back.
fn checkpoint(conn: &Connection, mode: &str) -> rusqlite::Result<bool> {
    let mut is_whole = false;
    let done = conn.pragma_update_and_check(None, "wal_checkpoint", mode, |row| {
        is_whole = row.get::<_, i64>(0)? == 0;
        Ok(())
    });
    done.inspect_err(|error| tracing::debug!(%error, mode, "a checkpoint failed"))?;
    Ok(is_whole)
}
