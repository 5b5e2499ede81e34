//! What templates see.

use std::sync::OnceLock;

use longshore_core::{Message, QueueName};
use minijinja::Value;
use minijinja::value::Serde;
use serde_json::Value as Json;

/// The values of one step of one delivery. The body is parsed at most once, and only for a
/// template that looks at it.
#[derive(Debug)]
pub(crate) struct Data<'a> {
    pub(crate) message: &'a Message,
    pub(crate) queue: &'a QueueName,
    pub(crate) attempt: u32,
    body: &'a [u8],
    parsed: OnceLock<Option<Value>>,
    original: OnceLock<Option<Value>>,
}

impl<'a> Data<'a> {
    pub(crate) fn new(
        message: &'a Message,
        queue: &'a QueueName,
        attempt: u32,
        body: &'a [u8],
    ) -> Self {
        Self {
            message,
            queue,
            attempt,
            body,
            parsed: OnceLock::new(),
            original: OnceLock::new(),
        }
    }

    /// The current body.
    fn body(&self) -> Option<Value> {
        self.parsed.get_or_init(|| parse(self.body)).clone()
    }

    /// The body of the message, whatever the steps before made of it.
    fn original(&self) -> Option<Value> {
        let original = self.original.get_or_init(|| parse(&self.message.body));
        original.clone()
    }

    /// The value of a top-level name; an error in words where there is none.
    pub(super) fn value(&self, name: &str) -> Result<Value, String> {
        let message = self.message;
        Ok(match name {
            "body" => self
                .body()
                .ok_or("the body is neither JSON nor text (not UTF-8)")?,
            "original" => self
                .original()
                .ok_or("the original body is neither JSON nor text (not UTF-8)")?,
            "headers" => Value::from_pairs(message.headers.iter()),
            "id" => Value::from(message.id.to_string()),
            "kind" => Value::from(message.kind.as_str()),
            "queue" => Value::from(self.queue.as_str()),
            "group" => message
                .group
                .as_ref()
                .map_or_else(|| Value::from(()), |group| Value::from(group.as_str())),
            "attempt" => Value::from(self.attempt),
            _ => Value::UNDEFINED,
        })
    }
}

/// A body: parsed if it is JSON, text if it is other UTF-8, nothing otherwise.
fn parse(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    Some(match serde_json::from_str::<Json>(text) {
        // 1.10 or a number beyond 64 bits would come out changed: that is text.
        Ok(Json::Number(number)) if number.to_string() != text.trim() => Value::from(text),
        Ok(json) => Value::from(Serde(json)),
        Err(_) => Value::from(text),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use longshore_core::{Headers, IdOrigin, JobKind, MessageId, NewMessage, Timestamp};

    use super::*;

    /// A message with these headers.
    pub(crate) fn message(headers: &[(&str, &str)]) -> Message {
        let id: MessageId = "018f3c7a-5b2e-7d11-9a3b-0123456789ab".parse().unwrap();
        let mut new = NewMessage::new(id, IdOrigin::Fresh, JobKind::default(), "");
        new.headers = headers.iter().copied().collect::<Headers>();
        new.stored_at(Timestamp::EPOCH, None)
    }

    /// What templates see of it.
    pub(crate) fn data<'a>(message: &'a Message, body: &'a [u8]) -> Data<'a> {
        static QUEUE: std::sync::LazyLock<QueueName> =
            std::sync::LazyLock::new(|| QueueName::new("images").unwrap());
        Data::new(message, &QUEUE, 3, body)
    }
}
