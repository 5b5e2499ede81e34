//! The history of a message: its attempt records.

use serde::{Deserialize, Serialize};

use crate::AttemptRecord;

/// A record with the number of its attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedAttempt {
    /// Which delivery it was, from 1.
    pub attempt: u32,
    /// How it ended.
    #[serde(flatten)]
    pub record: AttemptRecord,
}

/// Attempt records of a message, oldest first: the first one and the last 15 are kept.
///
/// A redrive keeps them and starts counting attempts again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(Vec<RecordedAttempt>);

/// The form stores keep.
#[derive(Serialize, Deserialize)]
struct Kept {
    v: u8,
    records: Vec<RecordedAttempt>,
}

impl History {
    /// How many of the latest records are kept beside the first.
    pub const LAST_KEPT: usize = 15;

    /// No records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a record; one in the middle is dropped where there are too many.
    pub fn push(&mut self, attempt: u32, record: AttemptRecord) {
        if self.0.len() > Self::LAST_KEPT {
            self.0.remove(1);
        }
        self.0.push(RecordedAttempt { attempt, record });
    }

    /// The records, oldest first.
    pub fn records(&self) -> &[RecordedAttempt] {
        &self.0
    }

    /// The latest record.
    pub fn last(&self) -> Option<&RecordedAttempt> {
        self.0.last()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The form stores keep: JSON with a version. Empty for no records.
    pub fn to_stored(&self) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        serde_json::to_vec(&Kept {
            v: 1,
            records: self.0.clone(),
        })
        .unwrap_or_default()
    }

    /// Reads the stored form. History is for people: what cannot be read is no history, never a
    /// reason to lose the message.
    pub fn from_stored(bytes: &[u8]) -> Self {
        match serde_json::from_slice::<Kept>(bytes) {
            Ok(kept) if kept.v == 1 => Self(kept.records),
            _ => Self::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Label, Timestamp};

    #[test]
    fn any_bytes_are_a_history_fuzzed() {
        let mut history = History::new();
        for attempt in 1..4 {
            let at = Timestamp::EPOCH;
            history.push(
                attempt,
                AttemptRecord::new("w", at, at, Label::lossy("http.503"), "no"),
            );
        }
        longshore_fuzz::fuzz("history", &[history.to_stored()], |input| {
            let history = History::from_stored(input);
            assert_eq!(History::from_stored(&history.to_stored()), history);
            format!("{} records", "x".repeat(history.records().len()))
        });
    }

    #[test]
    fn the_first_and_the_last_fifteen_are_kept_and_read_back() {
        let mut history = History::new();
        for attempt in 1..=40 {
            let at = Timestamp::from_millis(i64::from(attempt));
            history.push(
                attempt,
                AttemptRecord::new("w", at, at, Label::lossy("x"), "e"),
            );
        }
        let kept: Vec<u32> = history.records().iter().map(|r| r.attempt).collect();
        assert_eq!(kept, [1].into_iter().chain(26..=40).collect::<Vec<_>>());
        assert_eq!(History::from_stored(&history.to_stored()), history);
        assert!(History::from_stored(b"garbage").is_empty());
        assert!(History::new().to_stored().is_empty());
    }

    #[test]
    fn long_errors_are_cut_at_a_character() {
        let at = Timestamp::EPOCH;
        let record = AttemptRecord::new("w", at, at, Label::lossy("x"), "é".repeat(4000));
        assert!(record.error.len() <= crate::ERROR_BYTES_MAX);
        assert!(record.error.ends_with('…'));
    }
}
