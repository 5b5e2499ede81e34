//! File steps: the current body goes into a file.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use longshore_core::{Failure, Label};
use rustix::fs::OFlags;

use crate::ConfigError;
use crate::load::read::{Document, Node, plain};
use crate::steps::Input;
use crate::steps::shortage;
use crate::template::{Flavour, Template};

/// So long an append waits for the lock of its file,
const TURN_MAX: Duration = Duration::from_secs(5);
/// and looks this often.
const TURN_LOOK_EACH: Duration = Duration::from_millis(2);

/// Writes the current body to a file.
#[derive(Debug)]
pub(crate) struct FileStep {
    path: Template,
    folder: PathBuf,
    mode: Mode,
    sync: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// One write at the end of the file, as a line.
    Append,
    /// The file holds the body and nothing else, at no time half of it.
    Replace,
}

impl FileStep {
    pub(super) fn of(document: &Document, node: &Node) -> Result<Self, ConfigError> {
        let written = node.get("path").unwrap_or(node);
        let path = Template::of(document, written, Flavour::Path)?;
        let refuse = |message: &str| Err(document.error(&written.span, message));
        if path.source().is_empty() || path.source().ends_with('/') {
            return refuse("path names no file");
        }
        if !path.is_literal() {
            if path.source().starts_with("{{") || path.source().starts_with("{%") {
                return refuse("path must begin with a folder or a name that is written out");
            }
            if path.source().split('/').any(|part| part == "..") {
                return refuse("path may not go up (..) where values stand in it");
            }
        }
        Ok(Self {
            path,
            folder: document.folder.clone(),
            mode: match node.text("mode") {
                Some("replace") => Mode::Replace,
                _ => Mode::Append,
            },
            sync: node.flag("sync").unwrap_or(false),
        })
    }

    pub(super) async fn run(&self, input: &Input<'_>) -> Result<(), Failure> {
        let rendered = self.path.render(&input.data)?;
        // Two values side by side can make what one alone may not be.
        if !self.path.is_literal() && rendered.split('/').any(|part| part == "..") {
            return Err(
                Failure::permanent("a value would lead out of the folder of the path")
                    .with_label(Label::lossy("template")),
            );
        }
        let path = self.folder.join(&rendered);
        let (mode, sync, body) = (self.mode, self.sync, input.body.clone());
        let scratch = format!("{}.{}", input.data.message.id, input.data.attempt);
        let work = move || match mode {
            Mode::Append => append(&path, &body, sync),
            Mode::Replace => replace(&path, &body, &scratch, sync),
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| {
                let what = format!("{} cannot be written", self.path.written());
                // A pipe that is full says so in the words for a host without processes.
                let is_full_pipe = error.kind() == io::ErrorKind::WouldBlock;
                let short = (!is_full_pipe).then(|| shortage::of_host(&error, &what));
                short.flatten().unwrap_or_else(|| {
                    Failure::retryable(format!("{what}: {}", plain(&error)))
                        .with_label(Label::lossy("file.io"))
                })
            })
    }
}

/// Opens a file to write it; its folder is made where it is missing. What is no file, such as a
/// pipe that nobody reads, is not waited for.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            options.open(path)
        }
        opened => opened,
    }
}

/// Appends the body and its line end. Writers do not mix within a line, and what could not be
/// written as a whole is taken back: half a line would be glued to the next try.
fn append(path: &Path, body: &Bytes, sync: bool) -> io::Result<()> {
    let mut file = open(path, OpenOptions::new().append(true).create(true))?;
    let line = if body.ends_with(b"\n") {
        body.clone()
    } else {
        let mut line = Vec::with_capacity(body.len() + 1);
        line.extend_from_slice(body);
        line.push(b'\n');
        line.into()
    };
    if !file.metadata()?.is_file() {
        return file.write_all(&line);
    }
    let _turn = Turn::take(&file)?;
    let length = file.metadata()?.len();
    let written = file
        .write_all(&line)
        .and_then(|()| if sync { file.sync_data() } else { Ok(()) });
    if written.is_err() {
        file.set_len(length)?;
    }
    written
}

/// The lock of a file that several processes append to; it goes with the descriptor.
struct Turn;

impl Turn {
    fn take(file: &File) -> io::Result<Self> {
        let deadline = Instant::now() + TURN_MAX;
        loop {
            match file.try_lock() {
                // On a file system without locks a line is one write all the same.
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(Self),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::park_timeout(TURN_LOOK_EACH);
                }
                Err(TryLockError::WouldBlock) => {
                    let held = "another process holds the lock of the file";
                    return Err(io::Error::new(io::ErrorKind::ResourceBusy, held));
                }
            }
        }
    }
}

/// Writes beside the file and renames: a reader sees the old file or the new one.
fn replace(path: &Path, body: &Bytes, scratch: &str, sync: bool) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A name that nobody can know before, and a file that was not there: what another process put
    // there is not written through.
    let random = fastrand::u64(..);
    let beside = path.with_file_name(format!(".{name}.{scratch}.{random:016x}.tmp"));
    let written = (|| {
        let mut file = open(&beside, OpenOptions::new().write(true).create_new(true))?;
        file.write_all(body)?;
        if sync {
            file.sync_all()?;
        }
        std::fs::rename(&beside, path)
    })();
    if written.is_err() {
        // Best effort: the error that matters is the first one.
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    match path.parent() {
        Some(folder) if sync => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

impl fmt::Display for FileStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.mode {
            Mode::Append => "append to",
            Mode::Replace => "write",
        };
        write!(f, "{verb} {}", self.path.written())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_are_lines_and_folders_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/out.txt");
        append(&path, &Bytes::from_static(b"one"), false).unwrap();
        append(&path, &Bytes::from_static(b"two\n"), true).unwrap();
        append(&path, &Bytes::new(), false).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n\n");
    }

    #[test]
    fn a_replaced_file_holds_the_last_body_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.bin");
        replace(
            &path,
            &Bytes::from_static(b"longer than the next"),
            "1",
            true,
        )
        .unwrap();
        replace(&path, &Bytes::from_static(b"\0\xff"), "1", false).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"\0\xff");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        assert!(append(&path, &Bytes::from_static(b"x"), false).is_err());
        assert!(replace(&path, &Bytes::from_static(b"x"), "1", false).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
