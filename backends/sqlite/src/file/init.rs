//! Bringing a file into being, and up to date.

use std::fs::OpenOptions;
use std::time::{Duration, Instant};

use longshore_core::{Result, StoreError, StoreErrorKind};

use crate::config::{Config, Durability};
use crate::database::connect;
use crate::error::{deadline_exceeded, sql, unwritable};
use crate::file::location::{FileLocation, Found};
use crate::file::lock::{SideLock, Turn, private};
use crate::schema;

/// Brings the file into being and up to date. Two processes that start on a new file at once
/// take turns here.
pub(crate) fn prepare(place: &FileLocation, config: &Config) -> Result<SideLock> {
    // A file that is not ours is left alone; one that another process is just creating may look
    // odd for a moment, but then its lock file is there.
    let first = match place.inspect() {
        Err(error) if error.kind() != StoreErrorKind::Denied && place.lock.exists() => None,
        first => Some(first?),
    };
    // An empty file beside a lock file may be one that another process is just creating.
    let begun = place.file.exists() && place.lock.exists();
    if first == Some(Found::Nothing) && !config.create && !begun {
        return Err(missing(place));
    }
    let lock = SideLock::open(&place.lock)
        .map_err(|error| unwritable(&place.lock, "the lock file of the database", error))?;
    if first == Some(Found::Ready) {
        return Ok(lock);
    }
    {
        let _turn = wait_for_turn(&lock, config.call_timeout)?;
        let found = place.inspect()?;
        if found == Found::Nothing && !config.create {
            return Err(missing(place));
        }
        if found != Found::Ready {
            create(place)?;
            let conn = connect::writer(&place.file, Durability::Full)
                .map_err(|error| sql("open", error))?;
            schema::prepare(&conn)?;
        }
    }
    Ok(lock)
}

fn missing(place: &FileLocation) -> StoreError {
    StoreError::new(
        StoreErrorKind::NotFound,
        "open",
        "there is no store at this path; the first enqueue creates it",
    )
    .with("path", place.file.display())
}

fn create(place: &FileLocation) -> Result<()> {
    let file = private(&mut OpenOptions::new())
        .create_new(true)
        .write(true)
        .open(&place.file);
    match file {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(unwritable(&place.file, "the database", error))
        }
        _ => Ok(()),
    }
}

pub(crate) fn wait_for_turn(lock: &SideLock, timeout: Duration) -> Result<Turn<'_>> {
    let deadline = Instant::now() + timeout;
    loop {
        match lock.try_take() {
            Ok(Some(turn)) => return Ok(turn),
            Ok(None) if Instant::now() < deadline => {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            Ok(None) => return Err(deadline_exceeded("open", timeout)),
            Err(error) => {
                return Err(StoreError::new(
                    StoreErrorKind::Unavailable,
                    "open",
                    "the lock file beside the database cannot be locked; check the file system",
                )
                .caused_by(error));
            }
        }
    }
}
