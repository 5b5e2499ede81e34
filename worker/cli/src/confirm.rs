//! Asking before something is gone.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::error::{CliError, Result};
use crate::exit::Exit;

/// Asks on a terminal whether to go on; elsewhere `--yes` must have said so.
pub(crate) fn confirm(yes: bool, question: &str) -> Result<()> {
    if yes {
        return Ok(());
    }
    let mut stderr = std::io::stderr();
    if !std::io::stdin().is_terminal() || !stderr.is_terminal() {
        return Err(CliError::usage(format!(
            "this would {question} and nobody is there to ask; add --yes to do it, or --dry-run \
             to see the number"
        )));
    }
    // The question stands below all that was said before.
    crate::output::sink::flush();
    let mut answer = String::new();
    let asked = write!(
        stderr,
        "This will {}. Go on? [y/N] ",
        crate::output::escape::line(question)
    )
    .and_then(|()| stderr.flush())
    .and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    match asked {
        Ok(_) if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") => Ok(()),
        _ => Err(CliError::new(Exit::Failed, "nothing was changed")),
    }
}
