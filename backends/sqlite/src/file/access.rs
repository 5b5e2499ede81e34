//! Refusals for lack of rights: each names whose the file is and what to do.

use std::fs::{self, Metadata};
use std::path::Path;

use longshore_core::{Result, StoreError, StoreErrorKind};

/// Refuses a database that this user may not read and write.
pub(crate) fn check(file: &Path, meta: &Metadata) -> Result<()> {
    use rustix::fs::Access;
    if rustix::fs::access(file, Access::READ_OK).is_err() {
        return Err(denied(file, "the file cannot be read by this user"));
    }
    // A superuser may write anyway; that is hardly what the owner of a read-only file wants.
    if meta.permissions().readonly() {
        return Err(StoreError::new(
            StoreErrorKind::Denied,
            "open",
            format!(
                "the file is marked read-only{}; a queue must be writable, even to look at it: \
                 chmod u+w makes it so",
                owner_of(file)
            ),
        )
        .with("path", file.display()));
    }
    if rustix::fs::access(file, Access::WRITE_OK).is_err() {
        return Err(denied(
            file,
            "the file is read-only for this user, and a queue must be writable even to look at it",
        ));
    }
    Ok(())
}

/// The directory hides what is in it, so that nothing can be said of the file.
pub(crate) fn not_entered(directory: &Path) -> StoreError {
    denied(directory, "the directory cannot be entered by this user")
}

/// A companion of the database, `what` in words, that cannot be opened for writing.
pub(crate) fn companion(path: &Path, what: &str) -> StoreError {
    if path.exists() {
        return denied(path, &format!("{what} cannot be written by this user"));
    }
    let directory = path.parent().unwrap_or(path);
    denied(
        directory,
        &format!("{what} cannot be created in the directory by this user"),
    )
}

fn denied(path: &Path, message: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Denied,
        "open",
        format!(
            "{message}{}; run as its owner, or give this user the rights to the directory, the \
             database and the files beside it",
            owner_of(path)
        ),
    )
    .with("path", path.display())
}

/// ` (owner uid 0, mode 600)`, or nothing where that cannot be seen.
#[cfg(unix)]
fn owner_of(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).map_or_else(
        |_| String::new(),
        |meta| {
            format!(
                " (owner uid {}, mode {:03o})",
                meta.uid(),
                meta.mode() & 0o7777
            )
        },
    )
}

#[cfg(not(unix))]
fn owner_of(_path: &Path) -> String {
    String::new()
}
