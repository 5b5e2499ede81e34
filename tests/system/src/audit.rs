//! A look at the file that shares no code with longshore.

use std::path::Path;

use rusqlite::Connection;

/// Puts everything that is committed into the one file, as SQLite does when the last one closes
/// it: what a test then changes in the file is what a reader finds.
///
/// # Panics
///
/// When the file is still open.
pub fn settle_into_one_file(path: &Path) {
    let conn = Connection::open(path).expect("the database opens");
    let (busy, left): (i64, i64) = conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("a checkpoint is done");
    assert_eq!((busy, left), (0, 0), "somebody still has the file open");
}

/// What SQLite's own check of a file says; `ok` where all is well.
///
/// # Panics
///
/// When the file cannot be read at all.
pub fn integrity(path: &Path) -> String {
    let conn = Connection::open(path).expect("the database opens");
    let answer = conn.query_row("PRAGMA integrity_check", (), |row| row.get(0));
    answer.expect("the check answers")
}

/// A database as another program would make it.
///
/// # Panics
///
/// When it cannot be made.
pub fn make_foreign_database(path: &Path) {
    let conn = Connection::open(path).expect("a database can be made");
    let made = conn.execute_batch(
        "CREATE TABLE messages (id INTEGER PRIMARY KEY, text TEXT);
         INSERT INTO messages (text) VALUES ('not for a queue');",
    );
    made.expect("a table can be made");
}
