//! The one table from errors of SQLite to errors of a store call.

use std::io;
use std::path::Path;
use std::time::Duration;

use longshore_core::{StoreError, StoreErrorKind};
use rusqlite::ErrorCode;

use crate::file::access;

const OUT_OF_FILES: &str = "no more files can be opened; raise the limit (ulimit -n, or LimitNOFILE of the unit) and try again";
const DISK_FULL: &str = "the disk is full; free some space, nothing was lost";

/// Why work inside a transaction stopped.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite said no.
    Sql(rusqlite::Error),
    /// The call is refused by a rule; its words are final.
    Refused(StoreError),
}

/// The result of work inside a transaction.
pub(crate) type Outcome<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Fault {
    /// The error of `operation`, which certainly had no effect.
    pub(crate) fn of(self, operation: &'static str) -> StoreError {
        match self {
            Self::Sql(error) => sql(operation, error),
            Self::Refused(error) => error,
        }
    }
}

/// What an error of SQLite means to the caller of `operation`.
pub(crate) fn sql(operation: &'static str, error: rusqlite::Error) -> StoreError {
    let code = match &error {
        // The index of the WAL cannot grow: the disk is full, though SQLite says otherwise.
        rusqlite::Error::SqliteFailure(failure, _)
            if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE =>
        {
            Some(ErrorCode::DiskFull)
        }
        rusqlite::Error::SqliteFailure(failure, _) => Some(failure.code),
        _ => None,
    };
    let (kind, message) = told(code);
    StoreError::new(kind, operation, message).caused_by(error)
}

/// The deadline passed before the database was free or had answered.
pub(crate) fn deadline_exceeded(operation: &'static str, timeout: Duration) -> StoreError {
    StoreError::new(
        StoreErrorKind::Timeout,
        operation,
        format!("the database was not free or did not answer within {timeout:?}; try again"),
    )
}

/// A refusal because the database or a companion, `what` in words, cannot be opened for writing.
pub(crate) fn unwritable(path: &Path, what: &str, error: io::Error) -> StoreError {
    let refusal = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::new(StoreErrorKind::Overloaded, "open", DISK_FULL)
                .with("path", path.display())
        }
        io::ErrorKind::InvalidData => {
            let message = format!("{what} is not what it should be: {error}");
            return StoreError::new(StoreErrorKind::Misconfigured, "open", message)
                .with("path", path.display());
        }
        _ if is_out_of_files(&error) => {
            StoreError::new(StoreErrorKind::Overloaded, "open", OUT_OF_FILES)
                .with("path", path.display())
        }
        _ => access::companion(path, what),
    };
    refusal.caused_by(error)
}

/// Whether this process or the host has no descriptor left.
fn is_out_of_files(error: &io::Error) -> bool {
    let out = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE];
    let raw = error.raw_os_error();
    out.iter().any(|errno| raw == Some(errno.raw_os_error()))
}

/// Whether a descriptor can still be had.
fn has_files_left() -> bool {
    std::fs::File::open("/dev/null").is_ok_and(|one| one.try_clone().is_ok())
}

fn told(code: Option<ErrorCode>) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind as Kind;
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            Kind::Conflict,
            "another program holds the database; end its transaction (a sqlite3 shell?)",
        ),
        Some(ErrorCode::DiskFull) => (Kind::Overloaded, DISK_FULL),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => (
            Kind::Corrupt,
            "the database is damaged or not a database; restore it from a backup",
        ),
        Some(ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            (Kind::Denied, "the system refuses access to the database")
        }
        Some(ErrorCode::ReadOnly) => (
            Kind::Denied,
            "the database or its directory is read-only; make both writable",
        ),
        Some(ErrorCode::CannotOpen) if !has_files_left() => (Kind::Overloaded, OUT_OF_FILES),
        Some(ErrorCode::CannotOpen) => (
            Kind::Unavailable,
            "the database file cannot be opened; check that it exists and is accessible",
        ),
        Some(ErrorCode::SystemIoFailure) => (
            Kind::Unavailable,
            "reading or writing the disk failed; check the system log",
        ),
        Some(ErrorCode::TooBig) => (Kind::TooLarge, "a value is too large for the database"),
        Some(ErrorCode::OperationInterrupted) => (Kind::Timeout, "it was interrupted"),
        _ => (
            Kind::Unexpected,
            "the database answered something unexpected; see the cause",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    #[test]
    fn every_way_to_be_out_of_space_is_one_kind() {
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(sql("open", error).kind(), StoreErrorKind::Overloaded);
        }
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let error = unwritable(Path::new("q.db-lock"), "no", kind.into());
            assert_eq!(error.kind(), StoreErrorKind::Overloaded);
        }
        let other = ffi::Error::new(ffi::SQLITE_IOERR_READ);
        let error = sql("open", rusqlite::Error::SqliteFailure(other, None));
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let error = unwritable(Path::new("q"), "no", io::ErrorKind::PermissionDenied.into());
        assert_eq!(error.kind(), StoreErrorKind::Denied);
    }
}
