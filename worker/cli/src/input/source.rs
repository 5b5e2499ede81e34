//! Where bodies come from: the argument, stdin, a file.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::error::{CliError, Result, of_file};
use crate::exit::Exit;

/// Reads an input.
pub(crate) type Reader = BufReader<Box<dyn Read + Send>>;

/// Where the input is.
#[derive(Debug)]
pub(crate) enum Input {
    /// On the command line.
    Literal(Vec<u8>),
    /// On stdin.
    Stdin,
    /// In a file.
    File(PathBuf),
}

impl Input {
    /// Reads the BODY argument: `-` is stdin, `@FILE` a file, none is stdin off a terminal.
    pub(crate) fn of(argument: Option<&OsStr>) -> Result<Self> {
        let Some(argument) = argument else {
            if io::stdin().is_terminal() {
                return Err(CliError::usage(
                    "there is no body; give it as text, as @FILE, or - to type it, or '' for an empty one",
                ));
            }
            return Ok(Self::Stdin);
        };
        match argument.as_bytes() {
            b"-" => Ok(Self::Stdin),
            [b'@', path @ ..] if !path.is_empty() => {
                Ok(Self::File(Path::new(OsStr::from_bytes(path)).to_owned()))
            }
            b"@" => Err(CliError::usage("@ names no file; write @FILE")),
            text => Ok(Self::Literal(text.to_vec())),
        }
    }

    /// A reader of it.
    pub(crate) fn open(self) -> Result<Reader> {
        let source: Box<dyn Read + Send> = match self {
            Self::Literal(bytes) => Box::new(io::Cursor::new(bytes)),
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) => {
                let file = File::open(&path).map_err(|error| unopened(&path, &error))?;
                let is_dir = file.metadata().is_ok_and(|metadata| metadata.is_dir());
                if is_dir {
                    return Err(CliError::usage(format!(
                        "\"{}\" is a directory; name a file",
                        path.display()
                    )));
                }
                Box::new(file)
            }
        };
        Ok(BufReader::with_capacity(64 * 1024, source))
    }
}

/// A body that is not there is a slip of the command line, not an empty answer of the store.
fn unopened(path: &Path, error: &io::Error) -> CliError {
    match error.kind() {
        io::ErrorKind::NotFound => {
            CliError::usage(format!("there is no file \"{}\"", path.display()))
        }
        _ => of_file(path, error),
    }
}

/// Reads everything, but stops behind `max` bytes: `None` then.
pub(crate) fn read_all(reader: Reader, max: usize) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader
        .take(max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    Ok((bytes.len() <= max).then_some(bytes))
}

/// The input broke off.
pub(crate) fn unreadable(error: &io::Error) -> CliError {
    CliError::new(Exit::Failed, format!("the input cannot be read: {error}"))
}
