//! Sentences for people.

use std::fmt;
use std::io::Write as _;

use super::escape;
use crate::progress::AboveBar;

/// Prints `longshore: SENTENCE`. Where stderr is closed nobody wants to know.
pub(crate) fn complain(sentence: impl fmt::Display) {
    let line = format!("longshore: {}\n", escape::line(&sentence.to_string()));
    let _ = AboveBar.write_all(line.as_bytes());
}

/// Prints a remark that `-q` silences.
pub(crate) fn note(quiet: bool, sentence: impl fmt::Display) {
    if !quiet {
        complain(sentence);
    }
}
