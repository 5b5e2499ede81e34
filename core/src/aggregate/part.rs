//! A part: a message in an aggregate.

use crate::{AggregateKey, Content, MessageId, NewMessage, Timestamp};

/// A part on its way into a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPart {
    /// The correlation key.
    pub key: AggregateKey,
    /// Whether it is the last one of its epoch.
    pub closing: bool,
    /// Its place among the parts, by which they are ordered (then by id): the time at which the
    /// message it is made of was enqueued, the same however often that is delivered.
    pub position: Timestamp,
    /// Id, kind, body, headers and trace. Group, lane, due time, expiry and dedup key are those of
    /// queues and mean nothing here.
    pub message: NewMessage,
}

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Appended {
    /// It is stored.
    Stored,
    /// Its id is known; nothing was stored.
    Duplicate,
}

/// A part as a store gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// The message (its `enqueued_at` is the position), or the raw bytes of a damaged one.
    pub content: Content,
}

impl Part {
    /// A part.
    pub fn new(content: Content) -> Self {
        Self { content }
    }

    /// Its id.
    pub fn id(&self) -> MessageId {
        match &self.content {
            Content::Intact(message) => message.id,
            Content::Damaged { id, .. } => *id,
        }
    }
}
