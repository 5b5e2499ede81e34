//! The spans of this library, under the names that tracing back ends know.
//!
//! A span names its queue in a field, not in its own name: names of spans are fixed.

use longshore_core::{JobKind, MessageId, QueueName};
use tracing::{Span, info_span};

/// A call that stores messages.
pub fn send(queue: &QueueName, messages: usize) -> Span {
    info_span!(
        "send",
        messaging.system = "longshore",
        messaging.operation.r#type = "send",
        messaging.destination.name = %queue,
        messaging.batch.message_count = messages,
    )
}

/// A call that asks for messages; how many came is recorded at its end.
pub fn receive(queue: &QueueName) -> Span {
    info_span!(
        "receive",
        messaging.system = "longshore",
        messaging.operation.r#type = "receive",
        messaging.destination.name = %queue,
        messaging.batch.message_count = tracing::field::Empty,
    )
}

/// A call that says what became of deliveries.
pub fn settle(queue: &QueueName, deliveries: usize) -> Span {
    info_span!(
        "settle",
        messaging.system = "longshore",
        messaging.operation.r#type = "settle",
        messaging.destination.name = %queue,
        messaging.batch.message_count = deliveries,
    )
}

/// The work on one delivery.
pub fn process(
    queue: &QueueName,
    id: MessageId,
    kind: &JobKind,
    attempt: u32,
    route: &str,
) -> Span {
    info_span!(
        "process",
        messaging.system = "longshore",
        messaging.operation.r#type = "process",
        messaging.destination.name = %queue,
        messaging.message.id = %id,
        longshore.kind = %kind,
        longshore.attempt = attempt,
        longshore.route = route,
    )
}

/// One step of a route, counted from 1, inside the work on a delivery.
pub fn step(number: usize) -> Span {
    info_span!("step", longshore.step = number)
}
