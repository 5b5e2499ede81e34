//! Reading route files.

use std::path::PathBuf;

use longshore::routes::{self, RouteSet};

use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{complain, counted};

/// Reads and checks route files. Every mistake is told; the error counts them.
pub(crate) fn load(files: &[PathBuf]) -> Result<RouteSet> {
    let mut mistakes = match routes::load(files, &|name| std::env::var(name).ok()) {
        Ok(set) => return Ok(set),
        Err(mistakes) => mistakes,
    };
    if mistakes.len() == 1 {
        let only = mistakes.remove(0);
        return Err(CliError::new(Exit::Misconfigured, only.to_string()));
    }
    for mistake in &mistakes {
        complain(mistake);
    }
    Err(CliError::new(
        Exit::Misconfigured,
        format!(
            "{} found; nothing was started",
            counted(mistakes.len() as u64, "mistake")
        ),
    ))
}
