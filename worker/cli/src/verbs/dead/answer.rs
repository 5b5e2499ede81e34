//! What is printed of a redrive or a discard of many.

use serde::Serialize;

use super::change::Request;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, counted};
use crate::session::Session;

/// What became of all that matched.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    queue: String,
    /// How many matched.
    matched: u64,
    /// How many were redriven or discarded.
    changed: u64,
    /// How many were damaged or gone by then.
    refused: u64,
    dry_run: bool,
    /// The word for what was done.
    #[serde(skip)]
    done: &'static str,
}

impl Answer {
    /// The answer to a dry run.
    pub(super) fn would(request: &Request, matched: u64) -> Self {
        Self {
            queue: request.selection.queue.to_string(),
            matched,
            changed: 0,
            refused: 0,
            dry_run: true,
            done: request.change.done(),
        }
    }

    /// The answer to a real run that changed so many of those that matched.
    pub(super) fn did(request: &Request, matched: u64, changed: u64) -> Self {
        Self {
            changed,
            refused: matched - changed,
            dry_run: false,
            ..Self::would(request, matched)
        }
    }

    /// Prints it; what was refused makes the end partial.
    pub(super) fn print(&self, session: &Session) -> Result<Exit> {
        let done = self.done;
        if session.json() {
            Stdout::json(self)?;
        } else if self.dry_run {
            let matched = counted(self.matched, "dead letter");
            Stdout::text(&format!("{matched} would be {done}"))?;
        } else {
            let changed = counted(self.changed, "dead letter");
            Stdout::text(&format!("{changed} {done}"))?;
        }
        if self.refused == 0 {
            return Ok(Exit::Done);
        }
        Err(CliError::new(
            Exit::Partial,
            format!(
                "{} could not be {done}: damaged, or gone meanwhile; `longshore dead list {} \
                 --where reason=damaged` shows the damaged ones",
                counted(self.refused, "dead letter"),
                self.queue
            ),
        ))
    }
}
