//! Metrics of the hot path, looked up once.

use std::time::Duration;

use longshore_core::{JobKind, QueueName};
use metrics::{Counter, Histogram, counter, histogram};

/// The metrics of one queue.
pub(crate) struct QueueMeters {
    pub(crate) received: Counter,
    pub(crate) redelivered: Counter,
    pub(crate) unserved: Counter,
    pub(crate) lease_lost: Counter,
    receive: Histogram,
    settle: Histogram,
    extend: Histogram,
}

impl QueueMeters {
    pub(crate) fn new(queue: &QueueName, store: &str) -> Self {
        let queue = || queue.as_str().to_owned();
        let operation = |operation: &'static str| {
            histogram!(
                "longshore_store_operation_duration_seconds",
                "store" => store.to_owned(),
                "operation" => operation,
            )
        };
        Self {
            received: counter!("longshore_received_messages_total", "queue" => queue()),
            redelivered: counter!("longshore_redelivered_messages_total", "queue" => queue()),
            unserved: counter!("longshore_unserved_messages_total", "queue" => queue()),
            lease_lost: counter!("longshore_lease_lost_total", "queue" => queue()),
            receive: operation("receive"),
            settle: operation("settle"),
            extend: operation("extend"),
        }
    }

    pub(crate) fn store_call(&self, operation: &str, took: Duration) {
        match operation {
            "receive" => self.receive.record(took),
            "settle" => self.settle.record(took),
            _ => self.extend.record(took),
        }
    }
}

impl std::fmt::Debug for QueueMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QueueMeters")
    }
}

/// The metrics of one kind on one queue.
pub(crate) struct JobMeters {
    pub(crate) acked: Counter,
    pub(crate) retried: Counter,
    pub(crate) dead: Counter,
    pub(crate) released: Counter,
    pub(crate) duration: Histogram,
    pub(crate) wait: Histogram,
}

impl JobMeters {
    /// The kind is that of the handler: what messages call themselves is unbounded.
    pub(crate) fn new(queue: &QueueName, kind: Option<&JobKind>) -> Self {
        let kind = || kind.map_or("any", JobKind::as_str).to_owned();
        let queue = || queue.as_str().to_owned();
        let settled = |outcome: &'static str| {
            counter!(
                "longshore_settled_messages_total",
                "queue" => queue(),
                "kind" => kind(),
                "outcome" => outcome,
            )
        };
        Self {
            acked: settled("acked"),
            retried: settled("retried"),
            dead: settled("dead"),
            released: settled("released"),
            duration: histogram!(
                "longshore_job_duration_seconds",
                "queue" => queue(),
                "kind" => kind(),
            ),
            wait: histogram!(
                "longshore_job_wait_seconds",
                "queue" => queue(),
                "kind" => kind(),
            ),
        }
    }
}

impl std::fmt::Debug for JobMeters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JobMeters")
    }
}
