//! The state of a message in one piece, as events and moved messages carry it.

use bytes::Bytes;
use longshore_core::{DeadMark, DeadReason, History, RecordedAttempt, Timestamp};
use serde::{Deserialize, Serialize};

/// Everything about a message that changes while it lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Snapshot {
    /// Deliveries so far that were not given back.
    pub(crate) attempts: u32,
    /// The attempt of the last record.
    pub(crate) recorded_through: u32,
    /// When it is due, in UTC ms.
    pub(crate) due_ms: i64,
    /// The time of its place in the queue, in UTC ms.
    pub(crate) at_ms: i64,
    /// The order among equal times.
    pub(crate) sequence: i64,
    /// Whether it heads its group though it is not due.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) heads: bool,
    /// Until when it is put back because it is of a newer version, in UTC ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) aside_ms: Option<i64>,
    /// Whether a redrive lifted its expiry.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) never_expires: bool,
    /// Its attempt records, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) records: Vec<RecordedAttempt>,
    /// What the last attempt left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checkpoint: Option<Bytes>,
    /// Its mark, if it is a dead letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dead: Option<Death>,
}

/// A dead letter's mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Death {
    /// Why.
    pub(crate) reason: DeadReason,
    /// The error in words.
    pub(crate) error: Option<String>,
    /// When.
    pub(crate) at: Timestamp,
    /// The order among deaths of one time.
    pub(crate) sequence: i64,
    /// Whether it holds its group.
    pub(crate) parks: bool,
}

impl Death {
    /// The mark that operators see.
    pub(crate) fn mark(&self) -> DeadMark {
        DeadMark::new(self.reason, self.error.clone(), self.at, self.parks)
    }
}

impl Snapshot {
    /// The stored form: JSON.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // A snapshot has string keys only, which always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the stored form.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The records as a history.
    pub(crate) fn history(&self) -> History {
        let mut history = History::new();
        for record in &self.records {
            history.push(record.attempt, record.record.clone());
        }
        history
    }

    /// Until when it is put back.
    pub(crate) fn aside_until(&self) -> Timestamp {
        Timestamp::from_millis(self.aside_ms.unwrap_or_default())
    }

    /// When it is due.
    pub(crate) fn due(&self) -> Timestamp {
        Timestamp::from_millis(self.due_ms)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}
