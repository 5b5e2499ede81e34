//! Reading route files.

use std::path::PathBuf;

use longshore_routes::{self as routes, ConfigError, RouteSet};

use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{complain, counted};

/// Reads and checks route files.
pub(crate) fn load(files: &[PathBuf]) -> Result<RouteSet> {
    read(files).map_err(mistakes)
}

/// Reads and checks route files; all mistakes at once.
pub(crate) fn read(files: &[PathBuf]) -> Result<RouteSet, Vec<ConfigError>> {
    routes::load(files, &|name| std::env::var(name).ok())
}

/// The error for mistakes in route files. Every one is told; where there are several the error
/// counts them.
pub(crate) fn mistakes(mut mistakes: Vec<ConfigError>) -> CliError {
    if mistakes.len() == 1 {
        return CliError::new(Exit::Misconfigured, mistakes.remove(0).to_string());
    }
    for mistake in &mistakes {
        complain(mistake);
    }
    let count = counted(mistakes.len() as u64, "mistake");
    CliError::new(
        Exit::Misconfigured,
        format!("{count} found; nothing was started"),
    )
}
