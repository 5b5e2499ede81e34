//! What the host is short of: descriptors, processes, memory, disk. Not the fault of a message.

use std::io;

use longshore_core::{Failure, Label};
use rustix::io::Errno;

/// The label of a job that the host was too short of something for.
const LABEL: &str = "host.shortage";

/// The failure of a job that could not be done because this host is short of something: it is
/// released uncharged, with a growing delay, unless a clause charges it. `None` is another error.
pub(crate) fn of_host(error: &io::Error, what: &str) -> Option<Failure> {
    let short_of = short_of(error)?;
    metrics::counter!("longshore_host_shortages_total", "of" => short_of).increment(1);
    let message = format!("{what}: this host is short of {short_of} ({error})");
    tracing::warn!(short_of, %error, "a job was given back: the host is short of something");
    Some(Failure::away(&Label::lossy(LABEL), message))
}

fn short_of(error: &io::Error) -> Option<&'static str> {
    match Errno::from_io_error(error)? {
        Errno::MFILE | Errno::NFILE => Some("file descriptors"),
        // What starting a process or a thread answers at its limit.
        Errno::AGAIN => Some("processes"),
        Errno::NOMEM => Some("memory"),
        Errno::NOSPC | Errno::DQUOT => Some("disk space"),
        _ => None,
    }
}
