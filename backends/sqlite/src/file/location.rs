//! Where the file lies, and whether it may be used. Nothing is written here.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use longshore_core::{Result, StoreError, StoreErrorKind};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::database::connect;
use crate::file::access;
use crate::schema;

const NO_DATABASE: &str =
    "the file is not a SQLite database; it was not touched, name another file";
const DAMAGED: &str =
    "the file is a damaged database; it was not touched, restore it from a backup";

/// The file and its companions.
#[derive(Clone, Debug)]
pub(crate) struct FileLocation {
    /// The database.
    pub(crate) file: PathBuf,
    /// Its directory.
    pub(crate) directory: PathBuf,
    /// The lock file of the writers.
    pub(crate) lock: PathBuf,
    /// The file whose changes wake sleeping receivers.
    pub(crate) bell: PathBuf,
}

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing, or an empty file.
    Nothing,
    /// A store that must be brought up to date before it is used.
    Older,
    /// A store of this version.
    Ready,
}

impl FileLocation {
    /// Finds the file of a path and refuses places where it could not live.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let directory = fs::canonicalize(parent).map_err(|error| no_directory(parent, &error))?;
        let name = path
            .file_name()
            .ok_or_else(|| misconfigured(path, "the path names no file"))?;
        let mut file = directory.join(name);
        if let Ok(target) = fs::canonicalize(&file) {
            file = target;
        }
        if file.is_dir() {
            return Err(misconfigured(
                &file,
                "the path is a directory; name a file in it, such as queue.db",
            ));
        }
        let directory = file.parent().unwrap_or(&directory).to_owned();
        refuse_network(&directory)?;
        let beside = |suffix: &str| {
            let mut name = file.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        Ok(Self {
            lock: beside("-lock"),
            bell: beside("-bell"),
            directory,
            file,
        })
    }

    /// Reads the header of the file, without a lock and without a write.
    ///
    /// It is read through SQLite: closing a file that this process opened by itself would drop
    /// the locks that SQLite holds on it.
    pub(crate) fn inspect(&self) -> Result<Found> {
        let meta = match fs::metadata(&self.file) {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(access::not_entered(&self.directory));
            }
            Err(_) => return Ok(Found::Nothing),
        };
        if !meta.is_file() {
            return Err(misconfigured(&self.file, "the path is not a regular file"));
        }
        access::check(&self.file, &meta)?;
        match meta.len() {
            0 => return Ok(Found::Nothing),
            // SQLite takes a file that is shorter than any page for an empty one.
            1..512 => {
                return Err(
                    StoreError::new(StoreErrorKind::Corrupt, "open", NO_DATABASE)
                        .with("path", self.file.display()),
                );
            }
            _ => {}
        }
        // Without locks and without the WAL, so that the file of another application is left as
        // it is. If that makes no sense, a checkpoint may be going on: then with both.
        let answer = match header(&self.uri("?immutable=1")) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                header(&self.uri(""))
            }
            answer => answer,
        };
        answer.map_err(|error| self.refusal(error))?
    }

    fn uri(&self, parameters: &str) -> String {
        use std::fmt::Write as _;
        let mut uri = String::from("file:");
        for byte in self.file.as_os_str().as_encoded_bytes() {
            match byte {
                b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                    uri.push(char::from(*byte));
                }
                other => {
                    // Writing to a string does not fail.
                    let _ = write!(uri, "%{other:02X}");
                }
            }
        }
        uri + parameters
    }

    fn refusal(&self, error: rusqlite::Error) -> StoreError {
        let (kind, message) = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => (StoreErrorKind::Corrupt, NO_DATABASE),
            Some(ErrorCode::DatabaseCorrupt) => (StoreErrorKind::Corrupt, DAMAGED),
            _ => (StoreErrorKind::Unavailable, "the file cannot be read"),
        };
        StoreError::new(kind, "open", message)
            .with("path", self.file.display())
            .caused_by(error)
    }
}

/// What the header says. The schema is only read where there is no mark at all.
fn header(uri: &str) -> rusqlite::Result<Result<Found>> {
    let conn = Connection::open_with_flags(
        uri,
        OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(connect::BUSY_TIMEOUT)?;
    let application_id = schema::pragma(&conn, "application_id")?;
    let version = schema::pragma(&conn, "user_version")?;
    if application_id == 0 && version == 0 {
        let objects: i64 =
            conn.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
        if objects == 0 {
            return Ok(Ok(Found::Nothing));
        }
    }
    Ok(
        schema::check(application_id, version).map(|()| match version {
            schema::VERSION => Found::Ready,
            _ => Found::Older,
        }),
    )
}

fn no_directory(parent: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::PermissionDenied => access::not_entered(parent),
        _ => misconfigured(
            parent,
            "the directory of the file does not exist; create it",
        ),
    }
}

/// WAL needs memory that all its processes share: over a network it loses data in silence.
#[cfg(target_os = "linux")]
fn refuse_network(directory: &Path) -> Result<()> {
    let Ok(found) = rustix::fs::statfs(directory) else {
        return Ok(());
    };
    refuse_kind(directory, found.f_type as u32)
}

/// Refuses a directory on a file system with this magic number, where it is one of a network.
#[cfg(target_os = "linux")]
fn refuse_kind(directory: &Path, magic: u32) -> Result<()> {
    const NETWORKS: [(u32, &str); 8] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB2"),
        (0x0102_1997, "9p"),
        (0x6573_5546, "FUSE"),
        (0x00C3_6400, "Ceph"),
        (0x5346_414F, "AFS"),
    ];
    match NETWORKS.iter().find(|(known, _)| *known == magic) {
        None => Ok(()),
        Some((_, name)) => Err(misconfigured(
            directory,
            &format!(
                "the directory is on a {name} file system, where SQLite can lose data; use a \
                 local disk, or Redis for several hosts"
            ),
        )),
    }
}

#[cfg(not(target_os = "linux"))]
fn refuse_network(_directory: &Path) -> Result<()> {
    Ok(())
}

fn misconfigured(path: &Path, message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Misconfigured, "open", message).with("path", path.display())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_refused_by_name_and_local_ones_are_not() {
        // NFS, SMB2, 9p; then ext4, tmpfs, XFS, Btrfs, overlayfs.
        for (magic, name) in [(0x6969, "NFS"), (0xFE53_4D42, "SMB2"), (0x0102_1997, "9p")] {
            let error = refuse_kind(Path::new("/shared"), magic).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
            let text = error.to_string();
            assert!(text.contains(&format!("on a {name} file system")), "{text}");
            assert!(
                text.contains("use a local disk") && text.contains("/shared"),
                "{text}"
            );
        }
        for magic in [0xEF53, 0x0102_1994, 0x5846_5342, 0x9123_683E, 0x794C_7630] {
            assert!(refuse_kind(Path::new("/local"), magic).is_ok());
        }
    }
}
