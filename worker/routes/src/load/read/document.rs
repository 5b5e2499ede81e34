//! The text of a route file, and places in it.

use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ConfigError;

/// A route file is not greater.
const BYTES_MAX: u64 = 1024 * 1024;

/// A route file in memory.
#[derive(Debug)]
pub(crate) struct Document {
    /// As it was named by the user.
    pub(crate) path: PathBuf,
    /// Its folder, absolute: relative paths in the file start here.
    pub(crate) folder: PathBuf,
    pub(crate) text: String,
    /// Whether every user of this host may change it.
    pub(crate) writable_by_all: bool,
}

/// A place in a route file.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    document: Arc<Document>,
    at: usize,
}

impl Document {
    /// Reads a file: regular, at most 1 MiB, UTF-8, with or without a byte order mark.
    pub(crate) fn open(path: &Path) -> Result<Self, ConfigError> {
        let refuse = |what: String| ConfigError::of_file(path, what);
        let cannot = |error: std::io::Error| refuse(format!("cannot be read: {}", plain(&error)));
        let file = std::fs::File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        let mode = metadata.permissions().mode();
        if metadata.is_dir() {
            return Err(refuse("is a directory, not a route file".into()));
        }
        let mut bytes = Vec::new();
        file.take(BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(cannot)?;
        if bytes.len() as u64 > BYTES_MAX {
            return Err(refuse("is greater than 1 MiB".into()).hint("split it into several files"));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let folder = std::fs::canonicalize(folder).map_err(cannot)?;
        let bytes = bytes
            .strip_prefix(b"\xef\xbb\xbf")
            .map(<[u8]>::to_vec)
            .unwrap_or(bytes);
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..at]);
            let line = 1 + before.matches('\n').count();
            refuse(format!(
                "is not UTF-8: the first bad byte is in line {line}"
            ))
        })?;
        Ok(Self {
            path: path.to_owned(),
            folder,
            text,
            writable_by_all: mode & 0o002 != 0,
        })
    }

    /// A file that is text in memory.
    #[cfg(test)]
    pub(crate) fn of_text(path: &str, folder: &Path, text: &str) -> Self {
        Self {
            path: path.into(),
            folder: folder.to_owned(),
            text: text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
            writable_by_all: false,
        }
    }

    /// Line and column (in characters) of a byte offset, both from 1.
    pub(crate) fn position(&self, at: usize) -> (usize, usize) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = 1 + before.matches('\n').count();
        (line, 1 + before[line_start..].chars().count())
    }

    /// A mistake at a place.
    pub(crate) fn error(&self, span: &Range<usize>, message: impl Into<String>) -> ConfigError {
        let (line, column) = self.position(span.start);
        ConfigError {
            file: self.path.clone(),
            line,
            column,
            message: message.into(),
            hint: String::new(),
        }
    }

    /// A path of the file: relative ones start at its folder.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }
}

impl Mark {
    pub(crate) fn new(document: &Arc<Document>, span: &Range<usize>) -> Self {
        Self {
            document: document.clone(),
            at: span.start,
        }
    }

    /// A mistake here.
    pub(crate) fn error(&self, message: impl Into<String>) -> ConfigError {
        self.document.error(&(self.at..self.at), message)
    }
}

/// `file:line`
impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, _) = self.document.position(self.at);
        write!(f, "{}:{line}", self.document.path.display())
    }
}

/// An I/O error in words, without its number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}
