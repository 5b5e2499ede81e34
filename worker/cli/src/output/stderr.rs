//! Sentences for people.

use std::fmt;
use std::io::Write as _;

use super::escape;
use super::sink::Stderr;

/// Prints `longshore: SENTENCE`. It never waits: the last lines are written by
/// [`super::sink::flush`].
pub(crate) fn complain(sentence: impl fmt::Display) {
    let line = format!("longshore: {}\n", escape::line(&sentence.to_string()));
    let _ = Stderr.write_all(line.as_bytes());
}

/// Prints a remark that `-q` silences.
pub(crate) fn note(quiet: bool, sentence: impl fmt::Display) {
    if !quiet {
        complain(sentence);
    }
}
