//! What a check of the store finds.

pub(crate) mod fsck;

use longshore_core::{Finding, QueueName, Severity};
use rusqlite::Connection;

use crate::check::fsck::wrong_counters;
use crate::clock::moment::Clocks;
use crate::config::Durability;
use crate::database::connect::WAL_BYTES_MAX;
use crate::database::handle::Database;
use crate::error::Outcome;
use crate::schema;
use crate::stats::stats;

/// A larger file cannot be read within the deadline of a call.
const CHECKED_BYTES_MAX: i64 = 512 << 20;

/// The findings that need no connection.
pub(crate) fn of_engine(database: &Database) -> Vec<Finding> {
    let mut findings = vec![match database.durability {
        Durability::Full => Finding::new(
            Severity::Ok,
            "durability",
            "an acknowledged write is on the disk (sync=full)",
        ),
        Durability::Normal => Finding::new(
            Severity::Warning,
            "durability",
            "a power cut may take what was written since the last checkpoint (sync=normal)",
        )
        .fix("open the store without sync=normal where messages must survive a power cut"),
    }];
    findings.extend(space(database));
    findings.extend(wal(database));
    findings.extend(modes(database));
    findings
}

/// A WAL beyond its bound is cut within seconds, unless a reader still reads from it.
fn wal(database: &Database) -> Option<Finding> {
    let mut path = database.place.file.as_os_str().to_owned();
    path.push("-wal");
    let bytes = std::fs::metadata(&path).ok()?.len();
    if bytes <= WAL_BYTES_MAX {
        return None;
    }
    let found = format!(
        "{} MiB wait in the WAL: a program has read the database for long (a backup, a replication \
         tool, a sqlite3 shell), and until it ends the WAL grows and reads get slower",
        bytes >> 20
    );
    Some(
        Finding::new(Severity::Warning, "write-ahead log", found).fix(format!(
            "end that program; `lsof {}` names it",
            database.place.file.display()
        )),
    )
}

fn space(database: &Database) -> Option<Finding> {
    let room = database.probe.look(&database.place.directory).ok()?;
    let found = format!(
        "{} MiB free, {} MiB are kept for settling",
        room.free >> 20,
        room.reserve() >> 20
    );
    Some(if room.free < room.reserve() {
        Finding::new(Severity::Problem, "disk space", found)
            .fix("free some space: enqueue is refused until then")
    } else if room.free < room.reserve() * 2 {
        Finding::new(Severity::Warning, "disk space", found).fix("free some space soon")
    } else {
        Finding::new(Severity::Ok, "disk space", found)
    })
}

#[cfg(unix)]
fn modes(database: &Database) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let meta = std::fs::metadata(&database.place.file).ok()?;
    let mode = meta.permissions().mode() & 0o777;
    let others = mode & 0o077;
    Some(if others == 0 {
        Finding::new(
            Severity::Ok,
            "file mode",
            format!("{mode:03o}: only its owner reads it"),
        )
    } else {
        Finding::new(
            Severity::Warning,
            "file mode",
            format!("{mode:03o}: others than its owner may read or write messages"),
        )
        .fix(format!("chmod 600 {}", database.place.file.display()))
    })
}

#[cfg(not(unix))]
fn modes(_engine: &Database) -> Option<Finding> {
    None
}

/// The findings in the file itself.
pub(crate) fn of_file(conn: &Connection, clocks: &Clocks) -> Outcome<Vec<Finding>> {
    let now = clocks.now();
    let mut findings = vec![integrity(conn)?];
    let version = schema::pragma(conn, "user_version")?;
    findings.push(Finding::new(
        Severity::Ok,
        "schema",
        format!("version {version}, SQLite {}", rusqlite::version()),
    ));
    if let Some(boot) = clocks.boot() {
        findings.extend(boot.finding(conn, &**clocks.wall())?);
    }
    let counts = bytes(conn)? <= CHECKED_BYTES_MAX;
    let mut statement = conn.prepare("SELECT name FROM queue ORDER BY name")?;
    let names = statement.query_map((), |row| row.get::<_, String>(0))?;
    for name in names.collect::<rusqlite::Result<Vec<_>>>()? {
        if let Ok(name) = QueueName::new(&name)
            && let Some(stats) = stats(conn, &name, now)?
        {
            findings.extend(stats.stuck(&name));
            if counts {
                findings.extend(wrong_counters(conn, &name)?);
            }
        }
    }
    Ok(findings)
}

fn bytes(conn: &Connection) -> Outcome<i64> {
    Ok(schema::pragma(conn, "page_count")? * schema::pragma(conn, "page_size")?)
}

fn integrity(conn: &Connection) -> Outcome<Finding> {
    let bytes = bytes(conn)?;
    if bytes > CHECKED_BYTES_MAX {
        let found = format!("not checked: {} MiB take too long", bytes >> 20);
        return Ok(Finding::new(Severity::Ok, "integrity", found)
            .fix("run `sqlite3 FILE 'PRAGMA quick_check'` while the queue is quiet"));
    }
    let answer: String = conn.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    Ok(if answer == "ok" {
        Finding::new(Severity::Ok, "integrity", "the file is sound")
    } else {
        Finding::new(Severity::Problem, "integrity", answer)
            .fix("stop all workers and restore the file from a backup, or recover it with `sqlite3 FILE .recover`")
    })
}
