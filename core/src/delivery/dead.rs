//! Why a message lies in the dead letters.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Why a message was dead-lettered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeadReason {
    /// Its attempts were used up.
    Exhausted,
    /// Its failure is permanent: trying again cannot help.
    Permanent,
    /// Its deliveries kept vanishing: it seems to kill the worker that runs it.
    Vanished,
    /// It expired before it could be handed out.
    Expired,
    /// Its row could not be read; the raw bytes are kept.
    Damaged,
    /// A person or a program settled it so.
    Requested,
}

impl DeadReason {
    /// All reasons.
    pub const ALL: [Self; 6] = [
        Self::Exhausted,
        Self::Permanent,
        Self::Vanished,
        Self::Expired,
        Self::Damaged,
        Self::Requested,
    ];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Permanent => "permanent",
            Self::Vanished => "vanished",
            Self::Expired => "expired",
            Self::Damaged => "damaged",
            Self::Requested => "requested",
        }
    }

    /// The reason of a stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// The mark of a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadMark {
    /// Why.
    pub reason: DeadReason,
    /// The error in words: of the last record, or of the store that set it aside.
    pub error: Option<String>,
    /// When, by the store's clock.
    pub dead_at: Timestamp,
    /// Whether its group is held until it is redriven or discarded.
    pub parks_group: bool,
}

impl DeadMark {
    /// A mark.
    pub fn new(reason: DeadReason, error: Option<String>, dead_at: Timestamp, parks: bool) -> Self {
        Self {
            reason,
            error,
            dead_at,
            parks_group: parks,
        }
    }
}
