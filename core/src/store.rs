//! The data plane of a store.

pub(crate) mod admin;
pub(crate) mod aggregate;
pub(crate) mod backend;
pub(crate) mod backup;
pub(crate) mod cursor;
pub(crate) mod floor;
pub(crate) mod lease;
pub(crate) mod limits;
pub(crate) mod page_size;
pub(crate) mod progress;
pub(crate) mod registry;
pub(crate) mod stored;
pub(crate) mod workers;

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    MessageId, NewMessage, QueueName, Receipt, Received, Result, Settled, Settlement, StoreLimits,
};

/// What a running worker or producer needs of a store, and nothing else.
///
/// # Contract for implementers
///
/// - Every call is atomic for each message, safe to repeat with the same arguments (a repeated
///   receive only leases more), and safe to drop half-way: a message has changed or it has not.
/// - Delivery is at least once: what `enqueue` called stored is delivered until it is settled
///   with ack or dead-letter.
/// - No call retries on its own and every call ends by the deadline of the store's options. An
///   error says whether the call certainly had no effect or whether that is unknown.
/// - Times are compared with the store's clock.
///
/// The whole contract is `docs/contract.md`; the conformance suite has cases for each of its rules.
#[async_trait]
pub trait QueueStore: fmt::Debug + Send + Sync + 'static {
    /// Fixed facts about this store; callers stay within them.
    fn limits(&self) -> StoreLimits;

    /// Stores messages. One outcome for each, in order; they are judged in order, as if they were
    /// enqueued one by one.
    ///
    /// Refused as a whole, with no effect: a message over a limit (`TooLarge`, `InvalidInput`),
    /// more than the queue's `depth_max` (`Overloaded`).
    ///
    /// # Cancellation
    ///
    /// Dropping the future may or may not store the messages, each wholly or not at all.
    async fn enqueue(&self, queue: &QueueName, batch: &[NewMessage]) -> Result<Vec<Enqueued>>;

    /// Leases up to `batch_max` due messages, counting an attempt for each. Waits up to
    /// `wait_max` for the first; may answer fewer than there are, or none.
    ///
    /// Expired messages go to the dead letters (or are discarded) before this answers, damaged
    /// rows go to the dead letters, rows of a newer version are put back for a minute.
    ///
    /// # Cancellation
    ///
    /// Dropping the future may leave messages leased to nobody until the lease ends. Let it run
    /// in a task of its own; never race it in a select.
    async fn receive(&self, queue: &QueueName, request: Receive) -> Result<Received>;

    /// Sets the end of each lease to now + `lease`. One outcome for each receipt, in order.
    async fn extend(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        lease: Duration,
    ) -> Result<Vec<Settled>>;

    /// Ends deliveries; fates may be mixed. One outcome for each, in order.
    ///
    /// A receipt is stale once another delivery of its message exists or the message is gone,
    /// not when time passes: an ack after the lease end but before a redelivery is Applied.
    /// A receipt of another queue is stale here.
    async fn settle(&self, queue: &QueueName, batch: &[Settlement]) -> Result<Vec<Settled>>;
}

/// How to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receive {
    /// At most this many deliveries; never more than there are free hands.
    pub batch_max: NonZeroU32,
    /// How long each stays exclusive.
    pub lease: Duration,
    /// How long to wait for the first one.
    pub wait_max: Duration,
}

/// What became of an enqueued message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Enqueued {
    /// It is stored and will be delivered.
    Stored,
    /// Its id or its dedup key is already known; nothing was stored.
    Duplicate {
        /// The message that came first.
        first: MessageId,
    },
}
