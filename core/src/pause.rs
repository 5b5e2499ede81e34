//! The pause of a queue.

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
