//! Counts from 1.

use std::fmt;
use std::str::FromStr;

use crate::output::escape;

/// Reads a count from 1 to what its type holds.
pub(crate) fn count<T: FromStr + fmt::Debug>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|_| {
        format!(
            "\"{}\" is not a count; write a whole number from 1 on",
            escape::cut(text, 40)
        )
    })
}
