//! The one way to stdout.

use std::io::{self, BufWriter, StdoutLock, Write as _};

use serde::Serialize;

use super::json;
use crate::error::{Result, of_stdout};

/// Buffered stdout. `finish` must be called: what a buffer loses at its end is a lost answer.
#[derive(Debug)]
pub(crate) struct Stdout(BufWriter<StdoutLock<'static>>);

impl Stdout {
    /// Takes stdout.
    pub(crate) fn lock() -> Self {
        Self(BufWriter::new(io::stdout().lock()))
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(|error| of_stdout(&error))
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: &str) -> Result<()> {
        self.bytes(text.as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes one JSON value as one line.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<()> {
        self.line(&json::render(value)?)
    }

    /// Hands everything to the reader.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.0.flush().map_err(|error| of_stdout(&error))
    }

    /// Makes a terminal empty, for what is shown again.
    pub(crate) fn clear() -> Result<()> {
        let mut stdout = Self::lock();
        stdout.bytes(b"\x1b[H\x1b[2J\x1b[3J")?;
        stdout.finish()
    }

    /// Writes one JSON document and is done.
    pub(crate) fn json(value: &impl Serialize) -> Result<()> {
        let mut stdout = Self::lock();
        stdout.json_line(value)?;
        stdout.finish()
    }

    /// Writes lines and is done.
    pub(crate) fn text(text: &str) -> Result<()> {
        let mut stdout = Self::lock();
        if !text.is_empty() {
            stdout.line(text.trim_end_matches('\n'))?;
        }
        stdout.finish()
    }
}
