//! How a program ended, and what that says of its message.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use longshore_core::{Failure, Label};

/// How a program ended, and what it printed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended {
    /// How it ended.
    pub how: How,
    /// What it printed, where that was kept.
    pub stdout: Vec<u8>,
    /// The end of what it wrote to stderr, at most 2 KiB.
    pub stderr: Vec<u8>,
}

/// How a program ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum How {
    /// By itself, or by a signal that was not ours.
    Exited(ExitStatus),
    /// It took longer than this and was killed.
    TimedOut(Duration),
    /// It printed more than this many bytes and was killed.
    PrintedTooMuch(usize),
    /// Nobody waits for it any more; it was killed.
    Cancelled,
}

impl Ended {
    /// The failure that it stands for, told with the program's name; `None` is success. Exit codes
    /// 65 and 66 are permanent, and so is too much output; all else is worth another try.
    pub fn failure(&self, name: &str) -> Option<Failure> {
        let (what, label, is_permanent) = match &self.how {
            How::Exited(status) if status.success() => return None,
            How::Exited(status) => of_status(*status),
            How::TimedOut(after) => (
                format!("was not done after {after:?}"),
                "exec.timeout".to_owned(),
                false,
            ),
            How::PrintedTooMuch(max) => (
                format!("printed more than {max} bytes"),
                "exec.output".to_owned(),
                true,
            ),
            How::Cancelled => (
                "was cancelled".to_owned(),
                "exec.cancelled".to_owned(),
                false,
            ),
        };
        let message = format!("{name} {what}{}", in_words(&self.stderr));
        let failure = if is_permanent {
            Failure::permanent(message)
        } else {
            Failure::retryable(message)
        };
        Some(failure.with_label(Label::lossy(label)))
    }
}

/// What an exit says: in words, as a label, and whether trying again is useless.
fn of_status(status: ExitStatus) -> (String, String, bool) {
    match (status.code(), status.signal()) {
        (Some(code), _) => (
            format!("exited with {code}"),
            format!("exec.exit.{code}"),
            matches!(code, 65 | 66),
        ),
        (None, Some(signal)) => (
            format!("was ended by signal {signal}"),
            format!("exec.signal.{signal}"),
            false,
        ),
        (None, None) => ("ended".into(), "exec.exit".into(), false),
    }
}

/// `: ` and the end of stderr, in which control characters are escaped; nothing if there is none.
fn in_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut words = String::new();
    for c in text.trim().chars() {
        match c {
            '\n' | '\t' => words.push(c),
            c if c.is_control() => words.extend(c.escape_default()),
            c => words.push(c),
        }
    }
    if words.is_empty() {
        return words;
    }
    format!(": {words}")
}
