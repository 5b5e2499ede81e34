//! Sentences for people.

use std::fmt;
use std::io::Write as _;

use super::escape;

/// Prints `longshore: SENTENCE`. Where stderr is closed nobody wants to know.
pub(crate) fn complain(sentence: impl fmt::Display) {
    let _ = writeln!(
        std::io::stderr().lock(),
        "longshore: {}",
        escape::line(&sentence.to_string())
    );
}

/// Prints a remark that `-q` silences.
pub(crate) fn note(quiet: bool, sentence: impl fmt::Display) {
    if !quiet {
        complain(sentence);
    }
}
