//! A message with everything a store knows about it.

use bytes::Bytes;

use crate::{DeadMark, GroupName, History, JobKind, Message, MessageId, Timestamp};

/// A message as operators see it, and as `export` and `adopt` move it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredMessage {
    /// The message, or the raw bytes of a damaged one.
    pub content: Content,
    /// Where it is in its life.
    pub state: MessageState,
    /// Deliveries so far that were not given back.
    pub attempts: u32,
    /// The attempt of the last record since enqueue or redrive; 0 if there is none.
    pub recorded_through: u32,
    /// When it is or was due: its next hand-out while it waits or is delayed.
    pub due_at: Timestamp,
    /// Its attempt records.
    pub history: History,
    /// What the last attempt left for the next.
    pub checkpoint: Option<Bytes>,
}

impl StoredMessage {
    /// A message that waits, never delivered.
    pub fn waiting(message: Message) -> Self {
        let due_at = message.due_at;
        Self::of(Content::Intact(message), MessageState::Waiting, due_at)
    }

    /// A row in some state, never delivered.
    pub fn of(content: Content, state: MessageState, due_at: Timestamp) -> Self {
        Self {
            content,
            state,
            due_at,
            attempts: 0,
            recorded_through: 0,
            history: History::new(),
            checkpoint: None,
        }
    }

    /// Its id.
    pub fn id(&self) -> MessageId {
        match &self.content {
            Content::Intact(message) => message.id,
            Content::Damaged { id, .. } => *id,
        }
    }

    /// The message, unless its row is damaged.
    pub fn message(&self) -> Option<&Message> {
        match &self.content {
            Content::Intact(message) => Some(message),
            Content::Damaged { .. } => None,
        }
    }

    /// Its body; of a damaged row the raw one.
    pub fn body(&self) -> &Bytes {
        match &self.content {
            Content::Intact(message) => &message.body,
            Content::Damaged { body, .. } => body,
        }
    }

    /// Its kind, unless its row is damaged.
    pub fn kind(&self) -> Option<&JobKind> {
        self.message().map(|message| &message.kind)
    }

    /// Its group.
    pub fn group(&self) -> Option<&GroupName> {
        self.message().and_then(|message| message.group.as_ref())
    }

    /// Its mark, if it is a dead letter.
    pub fn dead(&self) -> Option<&DeadMark> {
        match &self.state {
            MessageState::Dead(mark) => Some(mark),
            MessageState::Waiting | MessageState::Delayed | MessageState::Leased { .. } => None,
        }
    }
}

/// What a row holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A message.
    Intact(Message),
    /// Bytes that are no message any more.
    Damaged {
        /// The id the row has in the store.
        id: MessageId,
        /// The raw head.
        head: Bytes,
        /// The raw body.
        body: Bytes,
    },
}

/// Where a message is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageState {
    /// Ready to be handed out, behind another member of its group, or with a lease that ended.
    Waiting,
    /// Not due yet: delayed at enqueue, or in back-off after a failure.
    Delayed,
    /// In a worker's hands.
    Leased {
        /// Until then.
        until: Timestamp,
    },
    /// In the dead letters.
    Dead(DeadMark),
}

impl MessageState {
    /// waiting, delayed, leased or dead.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delayed => "delayed",
            Self::Leased { .. } => "leased",
            Self::Dead(_) => "dead",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IdOrigin, NewMessage};

    #[test]
    fn what_can_be_read_of_a_damaged_row_is_shown() {
        let id = MessageId::from_uuid(uuid::Uuid::from_u128(7));
        let new = NewMessage::new(id, IdOrigin::Fresh, JobKind::default(), "hello");
        let message = new.stored_at(Timestamp::EPOCH, None);
        let state = MessageState::Waiting;
        let intact = StoredMessage::of(Content::Intact(message), state.clone(), Timestamp::EPOCH);
        assert_eq!((intact.id(), &intact.body()[..]), (id, &b"hello"[..]));
        assert_eq!(intact.kind(), Some(&JobKind::default()));
        let content = Content::Damaged {
            id,
            head: Bytes::new(),
            body: Bytes::from_static(b"raw"),
        };
        let damaged = StoredMessage::of(content, state, Timestamp::EPOCH);
        assert_eq!((damaged.id(), &damaged.body()[..]), (id, &b"raw"[..]));
        assert!(damaged.message().is_none() && damaged.kind().is_none());
    }
}
