//! Enqueueing many messages.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{
    Effect, Enqueued, IdOrigin, JobKind, MessageId, NewMessage, StoreError, StoreErrorKind,
};
use uuid::Uuid;

use super::Queue;
use super::calls::Deadline;
use super::message_options::{MessageOptions, option_setters};
use super::outcome::{BatchItem, BatchOutcome, ItemOutcome};
use crate::EnqueueError;

/// Many messages on their way; awaiting them stores them in order. Options hold for all of them.
#[derive(Debug)]
#[must_use = "nothing is enqueued until this is awaited"]
pub struct EnqueueBatch {
    queue: Queue,
    messages: Result<Vec<NewMessage>, EnqueueError>,
    options: MessageOptions,
    timeout: Duration,
}

impl EnqueueBatch {
    pub(super) fn of_messages(queue: Queue, messages: Vec<NewMessage>) -> Self {
        Self::new(queue, Ok(messages))
    }

    pub(super) fn of_bodies(
        queue: Queue,
        kind: &str,
        bodies: impl Iterator<Item = Result<Bytes, serde_json::Error>>,
    ) -> Self {
        let kind = match JobKind::new(kind) {
            Ok(kind) => kind,
            Err(error) => return Self::new(queue, Err(error.into())),
        };
        let messages = bodies.map(|body| {
            let id = MessageId::from_uuid(Uuid::now_v7());
            let body = body.map_err(EnqueueError::Encode)?;
            Ok(NewMessage::new(id, IdOrigin::Fresh, kind.clone(), body))
        });
        Self::new(queue, messages.collect())
    }

    fn new(queue: Queue, messages: Result<Vec<NewMessage>, EnqueueError>) -> Self {
        let timeout = queue.connection().call_timeout();
        Self {
            queue,
            messages,
            options: MessageOptions::default(),
            timeout,
        }
    }

    option_setters!();

    async fn send(self) -> Result<BatchOutcome, EnqueueError> {
        if let Some(error) = self.options.refused {
            return Err(error.into());
        }
        let mut messages = self.messages?;
        for message in &mut messages {
            self.options.apply(message);
        }
        let batch_max = self.queue.connection().backend().queues.limits().batch_max;
        let mut progress = Progress {
            queue: &self.queue,
            timeout: self.timeout,
            items: Vec::with_capacity(messages.len()),
            stopped: false,
        };
        for chunk in messages.chunks(batch_max.get() as usize) {
            progress.store(chunk).await;
        }
        Ok(BatchOutcome {
            items: progress.items,
        })
    }
}

impl IntoFuture for EnqueueBatch {
    type Output = Result<BatchOutcome, EnqueueError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A batch half-way.
struct Progress<'a> {
    queue: &'a Queue,
    timeout: Duration,
    items: Vec<BatchItem>,
    /// A store that is away or full is not asked again.
    stopped: bool,
}

impl Progress<'_> {
    /// Stores a chunk. One that is refused as a whole is halved until the guilty message stands
    /// alone, so that one bad message does not take its neighbours along.
    async fn store(&mut self, chunk: &[NewMessage]) {
        let mut rest = vec![chunk];
        while let Some(part) = rest.pop() {
            if self.stopped {
                self.note(part, &ItemOutcome::NotTried);
                continue;
            }
            let deadline = Deadline::after(self.timeout);
            match self.queue.store_batch(part, deadline).await {
                Ok(outcomes) => self.note_answers(part, &outcomes),
                Err(error) if part.len() > 1 && may_be_one_message(&error) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    rest.push(second);
                    rest.push(first);
                }
                Err(error) => {
                    self.stopped = !is_the_message(&error);
                    self.note(part, &ItemOutcome::Failed(Arc::new(error)));
                }
            }
        }
    }

    fn note_answers(&mut self, part: &[NewMessage], outcomes: &[Enqueued]) {
        for (message, outcome) in part.iter().zip(outcomes) {
            let outcome = match outcome {
                Enqueued::Duplicate { first } => ItemOutcome::Duplicate { first: *first },
                _ => ItemOutcome::Stored,
            };
            self.items.push(BatchItem {
                id: message.id,
                outcome,
            });
        }
    }

    fn note(&mut self, part: &[NewMessage], outcome: &ItemOutcome) {
        self.items.extend(part.iter().map(|message| BatchItem {
            id: message.id,
            outcome: outcome.clone(),
        }));
    }
}

fn is_the_message(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        StoreErrorKind::TooLarge | StoreErrorKind::InvalidInput
    )
}

/// Whether fewer messages may fare better. A full queue may still take the first ones.
fn may_be_one_message(error: &StoreError) -> bool {
    error.effect() == Effect::NotApplied
        && (is_the_message(error) || error.kind() == StoreErrorKind::Overloaded)
}
