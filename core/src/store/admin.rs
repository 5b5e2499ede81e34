//! The control plane of a store.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Configured, Cursor, Due, Finding, MessageId, MovingMark, Page, Pause, QueueName, QueueSettings,
    QueueStats, Result, SettingsChange, StoredMessage, WorkerInfo,
};

/// What people, dashboards and janitors need of a store. May be slow; never called per message.
///
/// Outcomes are in the order of the ids. Repeating a call changes nothing more. A malformed
/// cursor is `InvalidInput`. A queue exists from its first enqueue, configure or pause; lists of
/// a queue that does not exist are empty.
#[async_trait]
pub trait QueueAdmin: fmt::Debug + Send + Sync + 'static {
    /// The queues by name.
    async fn queues(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<QueueName>>;

    /// The numbers of a queue; `None` if it does not exist.
    async fn stats(&self, queue: &QueueName) -> Result<Option<QueueStats>>;

    /// Sets the named settings of a queue and says what that replaced.
    async fn configure(&self, queue: &QueueName, change: &SettingsChange) -> Result<Configured>;

    /// The settings of a queue; the defaults if it does not exist.
    async fn settings(&self, queue: &QueueName) -> Result<QueueSettings>;

    /// Looks at live messages (waiting, delayed, leased) without leasing, in queue order.
    async fn peek(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>>;

    /// Looks up one message, live or dead.
    async fn find(&self, queue: &QueueName, id: MessageId) -> Result<Found>;

    /// Removes waiting, delayed and back-off messages (those whose lease ended count as waiting),
    /// and forgets their ids and dedup keys.
    async fn cancel(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>>;

    /// Gives waiting, delayed and back-off messages another due time.
    async fn reschedule(
        &self,
        queue: &QueueName,
        ids: &[MessageId],
        due: Due,
    ) -> Result<Vec<Changed>>;

    /// Removes up to `batch_max` of the waiting, delayed and back-off messages that were there
    /// when the call began. Leased and dead ones are left alone.
    async fn purge(&self, queue: &QueueName, batch_max: NonZeroU32) -> Result<Purged>;

    /// Stops receiving from a queue, seen by everyone. The queue exists from then on.
    async fn pause(&self, queue: &QueueName, pause: &Pause) -> Result<()>;

    /// Ends a pause. Answers whether there was one.
    async fn resume(&self, queue: &QueueName) -> Result<bool>;

    /// Sets (or with `None` lifts) the mark that the queue is being moved away: while it is set
    /// nothing is handed out.
    async fn mark_moving(&self, queue: &QueueName, mark: Option<&MovingMark>) -> Result<()>;

    /// Forgets a queue in which nothing is: its settings, its pause and its mark are gone, and it
    /// does not exist until it is used again. Ids and dedup keys may stay known for their windows.
    async fn delete(&self, queue: &QueueName) -> Result<Deleted>;

    /// The dead letters, oldest first. Every item's state is dead.
    async fn dead_letters(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>>;

    /// Makes dead letters live again: same id and history, attempts from 1, expiry and
    /// checkpoint cleared, dedup and id windows ignored. One that parks its group goes to the
    /// head of it, others join the tail. A damaged one cannot be redriven: `Unreadable`.
    async fn redrive(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>>;

    /// Removes dead letters, and forgets their ids and dedup keys.
    async fn discard(&self, queue: &QueueName, ids: &[MessageId]) -> Result<Vec<Changed>>;

    /// Reads everything but what a worker has, live ones first in queue order (members of a group
    /// in their order), with all that `adopt` needs.
    async fn export(
        &self,
        queue: &QueueName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<StoredMessage>>;

    /// Takes over messages of another queue or store with their ids, attempts, history and due
    /// times. Idempotent by id, never refused for depth.
    async fn adopt(&self, queue: &QueueName, messages: &[StoredMessage]) -> Result<Vec<Adopted>>;

    /// The workers that announced themselves and did not run out.
    async fn workers(&self) -> Result<Vec<WorkerInfo>>;

    /// Checks the store: durability, space, versions, what is stuck. For `longshore doctor`.
    async fn check(&self) -> Result<Vec<Finding>>;

    /// Announces a worker for `ttl`; a zero `ttl` takes it off the list.
    async fn announce(&self, worker: &WorkerInfo, ttl: Duration) -> Result<()>;
}

/// What a lookup found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// The message.
    Message(Box<StoredMessage>),
    /// There is none of that id.
    NotFound,
    /// The scan hit its bound: it may be there.
    NotFoundWithinBound,
}

/// What became of one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Changed {
    /// Done.
    Applied,
    /// A worker has it; it was left alone.
    Leased,
    /// There is none of that id in the state the call acts on.
    NotFound,
    /// The scan hit its bound: it may be there.
    NotFoundWithinBound,
    /// Its row is damaged; it can only be exported or discarded.
    Unreadable,
}

/// What became of a queue that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deleted {
    /// It does not exist any more.
    Done,
    /// It holds messages or dead letters, and stays as it is.
    NotEmpty,
    /// It did not exist.
    NotFound,
}

/// What a purge did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// How many messages were removed.
    pub removed: u64,
    /// Whether more is left to remove.
    pub more: bool,
}

/// What became of an adopted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Adopted {
    /// It lives here now.
    Stored,
    /// It was here already, live or dead.
    Known,
}
