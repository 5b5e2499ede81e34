//! What a run did.

use longshore_routes::{Ended, Summary};

use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, counted};
use crate::session::Session;

/// Prints the counts: to stdout where they are the answer, as a remark where a worker that was
/// to run forever was stopped.
pub(super) fn print(summary: &Summary, until_idle: bool, session: &Session) -> Result<()> {
    if session.json() {
        return Stdout::json(summary);
    }
    let text = format!(
        "{} acked, {} retried, {} dead in {:.1} s",
        summary.acked, summary.retried, summary.dead, summary.seconds
    );
    if until_idle {
        return Stdout::text(&text);
    }
    session.note(text);
    Ok(())
}

/// How the command ends. A drain to the end is no failure, no matter who asked for it.
pub(super) fn exit(summary: &Summary, signal: Option<Exit>) -> Result<Exit> {
    match &summary.ended {
        Ended::Stuck { why } => Err(CliError::new(Exit::Partial, why.clone())),
        Ended::StoppedNow => Ok(signal.unwrap_or(Exit::Terminated)),
        _ if summary.refused > 0 => Err(CliError::new(
            Exit::Partial,
            format!(
                "{} of the input could not be stored; the log names each",
                counted(summary.refused, "part")
            ),
        )),
        _ => Ok(Exit::Done),
    }
}
