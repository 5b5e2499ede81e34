//! The mark of a queue that is being moved away.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Where a queue is being moved to. While the mark is set nothing is handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovingMark {
    /// The destination in words: a queue, and the redacted URL of its store if it is another.
    pub to: String,
    /// Since when; stamped by the store.
    pub since: Timestamp,
}
