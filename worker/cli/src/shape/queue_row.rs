//! A queue in a list.

use std::time::Duration;

use longshore::core::{QueueName, QueueStats, Timestamp};
use serde::Serialize;

/// What `queues` prints of each.
#[derive(Debug, Serialize)]
pub(crate) struct QueueRow {
    /// Its name.
    pub(crate) queue: String,
    /// Ready messages and those behind another member of their group.
    pub(crate) waiting: u64,
    /// Messages that are not due yet.
    pub(crate) delayed: u64,
    /// Messages in a worker's hands.
    pub(crate) leased: u64,
    /// Dead letters.
    pub(crate) dead: u64,
    /// How long the oldest ready message has been waiting.
    pub(crate) oldest_age_ms: Option<u64>,
    /// Whether receiving is stopped.
    pub(crate) paused: bool,
    /// Whether the numbers were counted, or are estimates.
    pub(crate) exact: bool,
    /// How long ago the oldest count was taken that an estimate adds up.
    pub(crate) counted_ago_ms: Option<u64>,
}

impl QueueRow {
    /// The row of a queue.
    pub(crate) fn of(queue: &QueueName, stats: &QueueStats, now: Timestamp) -> Self {
        Self {
            queue: queue.to_string(),
            waiting: stats.waiting,
            delayed: stats.delayed,
            leased: stats.leased,
            dead: stats.dead,
            oldest_age_ms: stats.oldest_age.map(millis),
            paused: stats.paused.is_some(),
            exact: stats.exact,
            counted_ago_ms: stats.counted_at.map(|at| millis(now.since(at))),
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
