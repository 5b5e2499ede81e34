//! A dead letter with everything that is known of it.

use longshore::core::{IdOrigin, QueueName, StoredMessage};
use serde::Serialize;

use super::Shown;
use super::body::base64;

/// A line of `dead export`.
#[derive(Debug, Serialize)]
pub(crate) struct Exported {
    /// What `dead show` prints.
    #[serde(flatten)]
    pub(crate) shown: Shown,
    /// Whether its id was given by its producer.
    pub(crate) given_id: bool,
    /// The attempt of the last record since enqueue or redrive.
    pub(crate) recorded_through: u32,
    /// Its dedup key.
    pub(crate) dedup_key: Option<String>,
    /// How long that is recognised after the enqueue.
    pub(crate) dedup_window_ms: Option<u64>,
    /// Where it came from, for tracing.
    pub(crate) traceparent: Option<String>,
    /// What belongs to it.
    pub(crate) tracestate: Option<String>,
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
            given_id: message.is_some_and(|message| message.id_origin == IdOrigin::Given),
            recorded_through: stored.recorded_through,
            dedup_key: dedup.map(|dedup| dedup.key.to_string()),
            dedup_window_ms: dedup
                .map(|dedup| u64::try_from(dedup.window.as_millis()).unwrap_or(u64::MAX)),
            traceparent: trace.map(|trace| trace.parent.clone()),
            tracestate: trace.map(|trace| trace.state.clone()),
            parks_group: stored.dead().is_some_and(|mark| mark.parks_group),
            checkpoint_base64: stored.checkpoint.as_deref().map(base64),
        }
    }
}
