//! What is counted and timed, under the names that dashboards use.
//!
//! Labels are bounded: queues and kinds come from what this process was set up with, never from
//! a message.

use std::future::Future;
use std::time::Instant;

use longshore_core::{Enqueued, QueueName, Result, StoreUrl};
use metrics::{counter, histogram};

/// Times a call of a store and counts its error.
pub(crate) async fn store_call<T>(
    url: &StoreUrl,
    operation: &'static str,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    let started = Instant::now();
    let answer = call.await;
    histogram!(
        "longshore_store_operation_duration_seconds",
        "store" => url.scheme().to_owned(),
        "operation" => operation,
    )
    .record(started.elapsed());
    if let Err(error) = &answer {
        counter!("longshore_store_errors_total", "kind" => error.kind().as_str()).increment(1);
    }
    answer
}

/// Counts what an enqueue stored.
pub(crate) fn enqueued(queue: &QueueName, outcomes: &[Enqueued]) {
    let stored = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Enqueued::Stored));
    counter!("longshore_enqueued_messages_total", "queue" => queue.as_str().to_owned())
        .increment(stored.count() as u64);
}
