//! Enqueueing one message.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{
    Dedup, DedupKey, Enqueued, IdOrigin, JobKind, MessageId, NewMessage, StoreError, StoreErrorKind,
};
use uuid::Uuid;

use super::Queue;
use super::calls::Deadline;
use super::message_options::{MessageOptions, option_setters};
use crate::EnqueueError;

/// One message on its way; awaiting it stores it.
///
/// The id is made once: a call that is repeated because its effect was unknown names the same
/// message again.
#[derive(Debug)]
#[must_use = "nothing is enqueued until this is awaited"]
pub struct EnqueueJob {
    queue: Queue,
    kind: String,
    body: Result<Bytes, serde_json::Error>,
    id: Option<MessageId>,
    dedup: Option<Dedup>,
    options: MessageOptions,
    timeout: Duration,
}

impl EnqueueJob {
    pub(super) fn new<B: Into<Bytes>>(
        queue: Queue,
        kind: &str,
        body: Result<B, serde_json::Error>,
    ) -> Self {
        let timeout = queue.connection().call_timeout();
        Self {
            queue,
            kind: kind.to_owned(),
            body: body.map(Into::into),
            id: None,
            dedup: None,
            options: MessageOptions::default(),
            timeout,
        }
    }

    option_setters!();

    /// Names the message: a repeat of the id is recognised while it lives or is dead, and for the
    /// queue's `id_window` after its ack. Default: a fresh id.
    pub fn id(mut self, id: impl Into<Uuid>) -> Self {
        self.id = Some(MessageId::from_uuid(id.into()));
        self
    }

    /// Recognises a second message with this key inside the window as a duplicate.
    pub fn dedup(mut self, key: impl AsRef<str>, window: Duration) -> Self {
        match DedupKey::new(key) {
            Ok(key) => self.dedup = Some(Dedup { key, window }),
            Err(error) => self.options.refuse(error),
        }
        self
    }

    /// The message as it will be stored.
    pub fn into_message(mut self) -> Result<NewMessage, EnqueueError> {
        if let Some(error) = self.options.refused.take() {
            return Err(error.into());
        }
        let kind = JobKind::new(&self.kind)?;
        let body = self.body.map_err(EnqueueError::Encode)?;
        let (id, origin) = match self.id {
            Some(id) => (id, IdOrigin::Given),
            None => (MessageId::from_uuid(Uuid::now_v7()), IdOrigin::Fresh),
        };
        let mut message = NewMessage::new(id, origin, kind, body);
        message.dedup = self.dedup;
        self.options.apply(&mut message);
        Ok(message)
    }

    async fn send(self) -> Result<EnqueuedJob, EnqueueError> {
        let queue = self.queue.clone();
        let deadline = Deadline::after(self.timeout);
        let message = self.into_message()?;
        let id = message.id;
        let outcomes = queue
            .store_batch(std::slice::from_ref(&message), deadline)
            .await?;
        match outcomes.first() {
            Some(Enqueued::Stored) => Ok(EnqueuedJob {
                id,
                duplicate: false,
            }),
            Some(Enqueued::Duplicate { first }) => Ok(EnqueuedJob {
                id: *first,
                duplicate: true,
            }),
            _ => Err(StoreError::new(
                StoreErrorKind::Unexpected,
                "enqueue",
                "the store gave no outcome for the message",
            )
            .effect_unknown()
            .into()),
        }
    }
}

impl IntoFuture for EnqueueJob {
    type Output = Result<EnqueuedJob, EnqueueError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// What became of an enqueued message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnqueuedJob {
    /// The id of the stored message: of the first one where this was a duplicate.
    pub id: MessageId,
    /// Whether a message of this id or dedup key was known already; nothing was stored then.
    pub duplicate: bool,
}
