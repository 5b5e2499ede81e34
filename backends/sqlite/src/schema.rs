//! The tables, and how they come to be.

use longshore_core::{Result, StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::error::sql;

/// Marks a file as ours: "LNGQ".
pub(crate) const APPLICATION_ID: i64 = 0x4C4E_4751;

/// Each migration in its own transaction; the `user_version` of a file is how many it has.
const MIGRATIONS: [&str; 3] = [
    include_str!("../migrations/0001.sql"),
    include_str!("../migrations/0002.sql"),
    include_str!("../migrations/0003.sql"),
];

/// The version this build writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The schema as text for the sqlite3 shell.
pub(crate) fn ddl() -> String {
    format!(
        "PRAGMA application_id = {APPLICATION_ID};\nPRAGMA journal_mode = WAL;\n\n{}\nPRAGMA user_version = {VERSION};\n",
        MIGRATIONS.join("\n")
    )
}

/// The number in a pragma.
pub(crate) fn pragma(conn: &Connection, name: &str) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, name, |row| row.get(0))
}

/// Whether the file is one of ours and not newer than this build.
pub(crate) fn check(application_id: i64, version: i64) -> Result<()> {
    if application_id != APPLICATION_ID {
        return Err(StoreError::new(
            StoreErrorKind::Corrupt,
            "open",
            "the file is the database of another application; it was not touched, name another file",
        ));
    }
    if version > VERSION {
        return Err(StoreError::unsupported(
            "open",
            format!(
                "the file has schema version {version}, this build knows up to {VERSION}; \
                 use a newer longshore"
            ),
        ));
    }
    Ok(())
}

/// Makes the file ours and brings its tables up to date. The caller has the turn to write.
pub(crate) fn prepare(conn: &Connection) -> Result<()> {
    steps(conn).map_err(|error| sql("open", error))?;
    check_open(conn)
}

/// Whether an open file is one of ours and not newer than this build, the WAL included.
pub(crate) fn check_open(conn: &Connection) -> Result<()> {
    let found =
        pragma(conn, "application_id").and_then(|id| Ok((id, pragma(conn, "user_version")?)));
    let (application_id, version) = found.map_err(|error| sql("open", error))?;
    check(application_id, version)
}

fn steps(conn: &Connection) -> rusqlite::Result<()> {
    if pragma(conn, "application_id")? == 0 {
        // Before the file is in WAL mode, so that the mark is in its header from the start.
        conn.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}"))?;
    }
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let version = pragma(conn, "user_version")?;
    if version >= VERSION {
        return Ok(());
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(version as usize) {
        conn.execute_batch(&format!(
            "BEGIN IMMEDIATE;\n{migration}\nPRAGMA user_version = {};\nCOMMIT;",
            index + 1
        ))
        .inspect_err(|_| {
            if !conn.is_autocommit() {
                let _ = conn.execute_batch("ROLLBACK");
            }
        })?;
    }
    // The version must be readable in the header without the WAL.
    conn.pragma_update_and_check(None, "wal_checkpoint", "PASSIVE", |_| Ok(()))
}
