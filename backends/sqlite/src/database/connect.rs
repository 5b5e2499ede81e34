//! Connections to the file.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::config::Durability;

/// How long a statement waits for a program that does not take turns, such as a sqlite3 shell.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// A checkpoint is tried each time the WAL has grown by this many pages.
const CHECKPOINT_PAGES: u32 = 1000;
/// The WAL is cut back to this many bytes when it starts again.
pub(crate) const WAL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The connection of the writer.
pub(crate) fn writer(path: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let conn = connect(path)?;
    conn.execute_batch(&format!(
        "PRAGMA synchronous = {};
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};
         PRAGMA journal_size_limit = {WAL_BYTES_MAX};",
        durability.pragma()
    ))?;
    Ok(conn)
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = connect(path)?;
    conn.execute_batch("PRAGMA query_only = ON;")?;
    Ok(conn)
}

/// A connection that copies the file: what it writes is another one.
pub(crate) fn copier(path: &Path) -> rusqlite::Result<Connection> {
    connect(path)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.set_prepared_statement_cache_capacity(128);
    conn.busy_timeout(BUSY_TIMEOUT)?;
    // What is read from the file is not trusted: no code hides in a schema, no cell is believed.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Else a statement is compiled again whenever its bound values change: a fifth of all time.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch(
        "PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = OFF;",
    )?;
    Ok(conn)
}
