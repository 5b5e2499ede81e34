//! A dead letter with everything that is known of it.

use longshore::core::{QueueName, StoredMessage};
use serde::Serialize;

use super::Shown;
use super::body::base64;

/// A line of `dead export`.
#[derive(Debug, Serialize)]
pub(crate) struct Exported {
    /// What `dead show` prints.
    #[serde(flatten)]
    pub(crate) shown: Shown,
    /// Its dedup key.
    pub(crate) dedup_key: Option<String>,
    /// Where it came from, for tracing.
    pub(crate) traceparent: Option<String>,
    /// Whether it holds its group.
    pub(crate) parks_group: bool,
    /// What the last attempt left for the next.
    pub(crate) checkpoint_base64: Option<String>,
}

impl Exported {
    /// The line of a dead letter.
    pub(crate) fn of(queue: &QueueName, stored: &StoredMessage) -> Self {
        let message = stored.message();
        let dedup = message.and_then(|message| message.dedup.as_ref());
        let trace = message.and_then(|message| message.trace.as_ref());
        Self {
            shown: Shown::of(queue, stored),
            dedup_key: dedup.map(|dedup| dedup.key.to_string()),
            traceparent: trace.map(|trace| trace.parent.clone()),
            parks_group: stored.dead().is_some_and(|mark| mark.parks_group),
            checkpoint_base64: stored.checkpoint.as_deref().map(base64),
        }
    }
}
