//! A received message.

use longshore::core::{Delivery, Headers, QueueName, ReceiptWord};
use serde::Serialize;

use super::BodyShape;
use crate::parse::rfc3339;

/// What `receive` prints of each delivery.
#[derive(Debug, Serialize)]
pub(crate) struct Delivered<'a> {
    /// Which message.
    pub(crate) id: String,
    /// Of which queue.
    pub(crate) queue: &'a str,
    /// Its kind.
    pub(crate) kind: &'a str,
    /// Its body.
    #[serde(flatten)]
    pub(crate) body: BodyShape,
    /// Its headers.
    pub(crate) headers: &'a Headers,
    /// Its group.
    pub(crate) group: Option<&'a str>,
    /// Which delivery this is, from 1.
    pub(crate) attempt: u32,
    /// Proves the delivery.
    pub(crate) receipt: String,
    /// When the lease ends.
    pub(crate) leased_until: String,
}

impl<'a> Delivered<'a> {
    /// The shape of a delivery.
    pub(crate) fn of(queue: &'a QueueName, delivery: &'a Delivery) -> Self {
        let message = &delivery.message;
        let receipt = ReceiptWord {
            queue: queue.clone(),
            receipt: delivery.receipt.clone(),
        };
        Self {
            id: message.id.to_string(),
            queue: queue.as_str(),
            kind: message.kind.as_str(),
            body: BodyShape::from(&*message.body),
            headers: &message.headers,
            group: message.group.as_ref().map(AsRef::as_ref),
            attempt: delivery.attempt,
            receipt: receipt.to_string(),
            leased_until: rfc3339(delivery.leased_until),
        }
    }
}
