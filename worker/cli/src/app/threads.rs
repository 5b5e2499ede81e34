//! Whether the host lets this process start the threads that it cannot do without.
//!
//! The runtime panics where it can start none, wherever that happens to be, and may hang or abort
//! then. So it is tried before, with as many at once as a command needs.

use std::sync::mpsc::sync_channel;
use std::thread;

use crate::error::{CliError, Result};
use crate::exit::Exit;

/// Those of a store and of calls that block, beside one for each processor.
const BESIDE: usize = 8;
/// They only wait.
const STACK_BYTES: usize = 64 * 1024;

/// Starts so many threads at once, and lets them end.
pub(super) fn check() -> Result<()> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    start(processors + BESIDE).map_err(refused)
}

fn start(count: usize) -> std::io::Result<()> {
    let mut started = Vec::with_capacity(count);
    for _ in 0..count {
        // It ends when the other half is dropped.
        let (held, until_dropped) = sync_channel::<()>(0);
        let wait = move || {
            let _ = until_dropped.recv();
        };
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(wait);
        started.push((held, thread?));
    }
    for (held, thread) in started {
        drop(held);
        let _ = thread.join();
    }
    Ok(())
}

/// The error of a host that starts no thread, for this reason.
pub(super) fn refused(why: impl std::fmt::Display) -> CliError {
    let words = format!(
        "too few threads can be started: {why}; raise the limit of processes or of open files \
         (ulimit -u and -n, TasksMax and LimitNOFILE of the unit)"
    );
    CliError::new(Exit::TryAgain, words)
}
