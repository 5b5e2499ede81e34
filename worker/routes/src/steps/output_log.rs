//! What programs print, in the log.

use std::sync::{Mutex, PoisonError};

use longshore_core::{MessageId, RouteName};
use tracing::{Level, enabled};

use crate::program::{OnPiece, Output};
use crate::steps::Input;
use crate::steps::log::escaped;

/// What filters of logs know these lines by.
const TARGET: &str = "longshore::exec";

/// A line that is longer is logged in parts.
const LINE_BYTES_MAX: usize = 4096;

/// What of a program's output is logged at info; the rest is logged at debug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputLog {
    None,
    Stderr,
    Output,
}

impl OutputLog {
    /// What the key of the step says.
    pub(super) fn of(word: Option<&str>) -> Self {
        match word {
            Some("stderr") => Self::Stderr,
            Some("output") => Self::Output,
            _ => Self::None,
        }
    }

    /// What becomes of a stdout that is not the body. Where nobody would see the lines there is no
    /// pipe that the program could fill.
    pub(super) fn stdout(self, input: &Input<'_>) -> Output {
        let is_info = self == Self::Output;
        if !is_shown(is_info) {
            return Output::Discarded;
        }
        Output::Told(lines(input, "stdout", is_info))
    }

    /// Who is told of stderr.
    pub(super) fn stderr(self, input: &Input<'_>) -> OnPiece {
        let is_info = self != Self::None;
        if !is_shown(is_info) {
            return Box::new(|_| ());
        }
        lines(input, "stderr", is_info)
    }
}

fn is_shown(is_info: bool) -> bool {
    if is_info {
        enabled!(target: TARGET, Level::INFO)
    } else {
        enabled!(target: TARGET, Level::DEBUG)
    }
}

fn lines(input: &Input<'_>, stream: &'static str, is_info: bool) -> OnPiece {
    let lines = Mutex::new(Lines {
        route: input.route.clone(),
        id: input.data.message.id,
        stream,
        is_info,
        begun: Vec::new(),
    });
    Box::new(move |piece| {
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.add(piece);
    })
}

/// Lines on their way to the log. The last one needs no end.
struct Lines {
    route: RouteName,
    id: MessageId,
    stream: &'static str,
    is_info: bool,
    begun: Vec<u8>,
}

impl Lines {
    fn add(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") || self.begun.len() >= LINE_BYTES_MAX {
                self.log();
            }
        }
    }

    fn log(&mut self) {
        let text = String::from_utf8_lossy(&self.begun);
        // Values come from outside: an escape sequence must not forge a line.
        let line: String = text.trim_end().chars().flat_map(escaped).collect();
        self.begun.clear();
        if line.is_empty() {
            return;
        }
        let Self {
            route, id, stream, ..
        } = self;
        if self.is_info {
            tracing::info!(target: TARGET, %route, %id, stream, "{line}");
        } else {
            tracing::debug!(target: TARGET, %route, %id, stream, "{line}");
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.log();
    }
}
