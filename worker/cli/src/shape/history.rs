//! The attempts of a message, the lost ones included.

use longshore::core::{History, MessageState, StoredMessage};
use serde::Serialize;

use crate::parse::rfc3339;

/// The label of an attempt that left no record: a crash, a lost lease.
const LOST: &str = "lost";
/// No gap is listed longer than this.
const GAP_MAX: u32 = 100;

/// One attempt.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct HistoryRow {
    /// Which delivery it was, from 1.
    pub(crate) attempt: u32,
    /// Who worked it.
    pub(crate) worker: Option<String>,
    /// When it began.
    pub(crate) started_at: Option<String>,
    /// When it ended.
    pub(crate) ended_at: Option<String>,
    /// The error.
    pub(crate) error: Option<String>,
    /// What kind of failure it was.
    pub(crate) label: String,
}

impl HistoryRow {
    fn lost(attempt: u32) -> Self {
        Self {
            attempt,
            worker: None,
            started_at: None,
            ended_at: None,
            error: None,
            label: LOST.to_owned(),
        }
    }
}

/// All attempts of a message in order. Numbers that no record has were lost; they start again
/// after a redrive.
pub(crate) fn history(message: &StoredMessage) -> Vec<HistoryRow> {
    let records = message.history.records();
    // A full history has dropped records behind the first: that gap says nothing.
    let full = records.len() > History::LAST_KEPT;
    let mut rows = Vec::new();
    let mut last = 0;
    for (index, recorded) in records.iter().enumerate() {
        if recorded.attempt <= last {
            last = 0;
        }
        if !(full && index == 1) {
            rows.extend(
                (last + 1..recorded.attempt)
                    .take(GAP_MAX as usize)
                    .map(HistoryRow::lost),
            );
        }
        last = recorded.attempt;
        let record = &recorded.record;
        rows.push(HistoryRow {
            attempt: recorded.attempt,
            worker: Some(record.worker.clone()),
            started_at: Some(rfc3339(record.started_at)),
            ended_at: Some(rfc3339(record.ended_at)),
            error: Some(record.error.clone()),
            label: record.label.to_string(),
        });
    }
    let running = u32::from(matches!(message.state, MessageState::Leased { .. }));
    let ended = message.attempts.saturating_sub(running);
    rows.extend(
        (message.recorded_through + 1..=ended)
            .take(GAP_MAX as usize)
            .map(HistoryRow::lost),
    );
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore::core::{
        AttemptRecord, IdOrigin, JobKind, Label, MessageId, NewMessage, Timestamp,
    };

    fn message(records: &[u32], attempts: u32, recorded_through: u32) -> StoredMessage {
        let id = MessageId::from_content(&[b"x"]);
        let new = NewMessage::new(id, IdOrigin::Given, JobKind::default(), "");
        let mut stored = StoredMessage::waiting(new.stored_at(Timestamp::EPOCH, None));
        for attempt in records {
            let at = Timestamp::EPOCH;
            stored.history.push(
                *attempt,
                AttemptRecord::new("w", at, at, Label::lossy("timeout"), "e"),
            );
        }
        stored.attempts = attempts;
        stored.recorded_through = recorded_through;
        stored
    }

    fn shown(stored: &StoredMessage) -> Vec<String> {
        history(stored)
            .iter()
            .map(|row| format!("{} {}", row.attempt, row.label))
            .collect()
    }

    #[test]
    fn attempts_without_a_record_are_lost() {
        assert_eq!(
            shown(&message(&[2], 3, 2)),
            ["1 lost", "2 timeout", "3 lost"]
        );
        assert_eq!(shown(&message(&[], 2, 0)), ["1 lost", "2 lost"]);
        assert!(shown(&message(&[], 0, 0)).is_empty());
    }

    #[test]
    fn a_running_attempt_is_not_lost() {
        let mut stored = message(&[1], 2, 1);
        stored.state = MessageState::Leased {
            until: Timestamp::EPOCH,
        };
        assert_eq!(shown(&stored), ["1 timeout"]);
    }

    #[test]
    fn a_redrive_starts_counting_again() {
        let stored = message(&[1, 2, 2], 2, 2);
        assert_eq!(
            shown(&stored),
            ["1 timeout", "2 timeout", "1 lost", "2 timeout"]
        );
    }

    #[test]
    fn dropped_records_are_not_called_lost() {
        let all: Vec<u32> = (1..=40).collect();
        let stored = message(&all, 40, 40);
        assert!(shown(&stored).iter().all(|row| !row.ends_with("lost")));
    }
}
