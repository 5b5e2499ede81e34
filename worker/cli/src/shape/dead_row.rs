//! A dead letter in a list.

use longshore::core::{QueueName, StoredMessage};
use serde::Serialize;

use crate::parse::rfc3339;

/// What `dead list` prints of each, and the first fields of `show` and `dead show`.
#[derive(Debug, Serialize)]
pub(crate) struct DeadRow {
    /// Which message.
    pub(crate) id: String,
    /// Of which queue.
    pub(crate) queue: String,
    /// Its kind; null where its row is damaged.
    pub(crate) kind: Option<String>,
    /// Why it was given up; null while it lives.
    pub(crate) reason: Option<&'static str>,
    /// The last error.
    pub(crate) error: Option<String>,
    /// Deliveries since enqueue or redrive.
    pub(crate) attempts: u32,
    /// When it was first stored.
    pub(crate) first_enqueued_at: Option<String>,
    /// When it was given up.
    pub(crate) dead_at: Option<String>,
}

impl DeadRow {
    /// The row of a message.
    pub(crate) fn of(queue: &QueueName, stored: &StoredMessage) -> Self {
        let dead = stored.dead();
        let recorded = || stored.history.last().map(|last| last.record.error.clone());
        Self {
            id: stored.id().to_string(),
            queue: queue.to_string(),
            kind: stored.kind().map(ToString::to_string),
            reason: dead.map(|mark| mark.reason.as_str()),
            error: dead.and_then(|mark| mark.error.clone()).or_else(recorded),
            attempts: stored.attempts,
            first_enqueued_at: stored.message().map(|message| rfc3339(message.enqueued_at)),
            dead_at: dead.map(|mark| rfc3339(mark.dead_at)),
        }
    }
}
