//! What stops the hand-outs of a queue: a pause, or its move to another place.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Why and by whom receiving was stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who paused it.
    pub author: String,
    /// Why; may be empty.
    pub reason: String,
    /// When; stamped by the store.
    pub since: Timestamp,
}

/// Where a queue is being moved to. While the mark is set nothing is handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovingMark {
    /// The destination in words: a queue, and the redacted URL of its store if it is another.
    pub to: String,
    /// Since when; stamped by the store.
    pub since: Timestamp,
}
