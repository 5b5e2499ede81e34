//! How a delivery ends: the state of the message after it.

use bytes::Bytes;
use longshore_core::{AttemptRecord, Disposition, Due, Timestamp};

use crate::protocol::snapshot::{Death, Snapshot};

/// The state after a disposition that is no ack. `sequence` orders what dies.
pub(crate) fn after(
    before: &Snapshot,
    is_grouped: bool,
    disposition: &Disposition,
    now: Timestamp,
    sequence: i64,
) -> Snapshot {
    let mut state = before.clone();
    keep_checkpoint(&mut state, disposition.checkpoint());
    // Delivered, it keeps the head of its group while it lives.
    state.heads = is_grouped;
    match disposition {
        Disposition::Ack => {}
        Disposition::Retry { due, record, .. } => {
            add_record(&mut state, record);
            state.due_ms = due.resolve(now).as_millis();
        }
        Disposition::Release { due, .. } => {
            state.attempts = state.attempts.saturating_sub(1);
            if let Some(due) = due {
                state.due_ms = due.resolve(now).as_millis();
            }
        }
        Disposition::DeadLetter {
            reason,
            record,
            park_group,
            ..
        } => {
            add_record(&mut state, record);
            state.heads = false;
            state.dead = Some(Death {
                reason: *reason,
                error: Some(record.error.clone()),
                at: now,
                sequence,
                parks: *park_group && is_grouped,
            });
        }
    }
    state
}

fn add_record(state: &mut Snapshot, record: &AttemptRecord) {
    let mut history = state.history();
    history.push(state.attempts, record.clone());
    state.records = history.records().to_vec();
    state.recorded_through = state.attempts;
}

/// `Some` replaces the checkpoint, an empty one clears it, `None` keeps it.
fn keep_checkpoint(state: &mut Snapshot, checkpoint: Option<&Bytes>) {
    if let Some(bytes) = checkpoint {
        state.checkpoint = (!bytes.is_empty()).then(|| bytes.clone());
    }
}

/// The state after a redrive: attempts from 1, at the place that is given.
pub(crate) fn redriven(before: &Snapshot, now: Timestamp, at_ms: i64, sequence: i64) -> Snapshot {
    Snapshot {
        due_ms: now.as_millis(),
        at_ms,
        sequence,
        never_expires: true,
        records: before.records.clone(),
        ..Snapshot::default()
    }
}

/// The state after a new due time. A head in back-off keeps the head; any other one leaves the
/// order of its group and joins when it is due.
pub(crate) fn rescheduled(
    before: &Snapshot,
    stays_head: bool,
    due: Due,
    now: Timestamp,
) -> Snapshot {
    let due = due.resolve(now);
    let mut state = before.clone();
    state.due_ms = due.as_millis();
    state.heads = stays_head;
    if !stays_head {
        state.at_ms = due.max(now).as_millis();
    }
    state
}
