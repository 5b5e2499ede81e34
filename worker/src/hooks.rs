//! Calls into the program when a job failed.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{DeadReason, JobKind, Label, MessageId, QueueName};

/// An attempt that failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailedAttempt {
    /// The message.
    pub id: MessageId,
    /// Its queue.
    pub queue: QueueName,
    /// Its kind.
    pub kind: JobKind,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// What kind of failure it was.
    pub label: Label,
    /// The error, as it stands in the attempt record.
    pub error: String,
}

/// A failed attempt whose message comes back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RetryEvent {
    /// The attempt.
    pub attempt: FailedAttempt,
    /// How long until the message comes back.
    pub delay: Duration,
}

/// A failed attempt whose message was dead-lettered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeadEvent {
    /// The attempt.
    pub attempt: FailedAttempt,
    /// Why it was given up.
    pub reason: DeadReason,
}

type Hook<E> = Arc<dyn Fn(&E) + Send + Sync>;

/// The hooks of a worker.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    retry: Vec<Hook<RetryEvent>>,
    dead: Vec<Hook<DeadEvent>>,
}

impl Hooks {
    pub(crate) fn add_retry(&mut self, hook: impl Fn(&RetryEvent) + Send + Sync + 'static) {
        self.retry.push(Arc::new(hook));
    }

    pub(crate) fn add_dead(&mut self, hook: impl Fn(&DeadEvent) + Send + Sync + 'static) {
        self.dead.push(Arc::new(hook));
    }

    pub(crate) fn retried(&self, event: &RetryEvent) {
        call_all(&self.retry, event);
    }

    pub(crate) fn dead(&self, event: &DeadEvent) {
        call_all(&self.dead, event);
    }
}

/// A hook that panics is reported and forgotten: the settle it tells of is done already.
fn call_all<E>(hooks: &[Hook<E>], event: &E) {
    for hook in hooks {
        if catch_unwind(AssertUnwindSafe(|| hook(event))).is_err() {
            tracing::warn!("a hook panicked; the message is not affected");
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Hooks({} retry, {} dead)",
            self.retry.len(),
            self.dead.len()
        )
    }
}
