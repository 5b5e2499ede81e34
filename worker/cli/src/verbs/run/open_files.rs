//! Whether this process may open as many files as a worker cannot do without.

use rustix::process::{Resource, getrlimit};

use crate::error::{CliError, Result};
use crate::exit::Exit;

/// The store, its threads, the admin server, and the pipes of one program with some room. What
/// more slots need than there is puts jobs back without charge; below this nothing would ever run.
const LEAST: u64 = 64;

/// Refuses a limit under which every job would be put back again and again.
pub(super) fn check() -> Result<()> {
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < LEAST => Err(CliError::new(
            Exit::Misconfigured,
            format!(
                "this process may open {limit} files, and a worker needs {LEAST}, and about 6 more \
                 for each job that runs a program; raise the limit (ulimit -n, or LimitNOFILE of \
                 the unit)"
            ),
        )),
        _ => Ok(()),
    }
}
