//! File steps: the current body goes into a file.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use longshore_core::{Failure, Label};

use super::Input;
use crate::routes::ConfigError;
use crate::routes::read::{Document, Node, plain};
use crate::routes::template::{Flavour, Template};

/// Writes the current body to a file.
#[derive(Debug)]
pub(in crate::routes) struct FileStep {
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
                let shown = self.path.written();
                Failure::retryable(format!("{shown} cannot be written: {}", plain(&error)))
                    .with_label(Label::lossy("file.io"))
            })
    }
}

/// Opens a file; its folder is made where it is missing.
fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
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

/// Appends the body and its line end in one write, so that writers do not mix within a line.
fn append(path: &Path, body: &Bytes, sync: bool) -> io::Result<()> {
    let mut file = open(path, OpenOptions::new().append(true).create(true))?;
    if body.ends_with(b"\n") {
        file.write_all(body)?;
    } else {
        let mut line = Vec::with_capacity(body.len() + 1);
        line.extend_from_slice(body);
        line.push(b'\n');
        file.write_all(&line)?;
    }
    if sync { file.sync_data() } else { Ok(()) }
}

/// Writes beside the file and renames: a reader sees the old file or the new one.
fn replace(path: &Path, body: &Bytes, scratch: &str, sync: bool) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{scratch}.tmp"));
    let written = (|| {
        let mut file = open(
            &beside,
            OpenOptions::new().write(true).create(true).truncate(true),
        )?;
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
