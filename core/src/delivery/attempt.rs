//! What is kept of an attempt that failed.

use serde::{Deserialize, Serialize};

use crate::{Label, Timestamp};

/// The error text of a record is cut to this many bytes.
pub const ERROR_BYTES_MAX: usize = 2048;

/// How one attempt ended, told by the worker that made it. The store stamps it with the number
/// of the attempt and appends it in the same step as the settle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// Who worked it.
    pub worker: String,
    /// When the handler was called.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What kind of failure it was.
    pub label: Label,
    /// The error, at most [`ERROR_BYTES_MAX`] bytes.
    pub error: String,
}

impl AttemptRecord {
    /// A record; the error is cut at a character boundary where it is too long.
    pub fn new(
        worker: impl Into<String>,
        started_at: Timestamp,
        ended_at: Timestamp,
        label: Label,
        error: impl Into<String>,
    ) -> Self {
        let mut error = error.into();
        if error.len() > ERROR_BYTES_MAX {
            let mut end = ERROR_BYTES_MAX - '…'.len_utf8();
            while !error.is_char_boundary(end) {
                end -= 1;
            }
            error.truncate(end);
            error.push('…');
        }
        Self {
            worker: worker.into(),
            started_at,
            ended_at,
            label,
            error,
        }
    }
}
