//! A message in a worker's hands, and how its delivery ends.

pub(crate) mod attempt;
pub(crate) mod dead;
pub(crate) mod failure;
pub(crate) mod history;
pub(crate) mod label;
pub(crate) mod receipt;

use bytes::Bytes;

use crate::{AttemptRecord, DeadReason, Due, Message, Receipt, Timestamp};

/// One delivery of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Proves this delivery.
    pub receipt: Receipt,
    /// Which delivery this is, from 1. Counted here and not at a failure: a job that kills its
    /// worker must still run out of attempts.
    pub attempt: u32,
    /// When the lease ends, by the store's clock.
    pub leased_until: Timestamp,
    /// What an earlier attempt left for this one.
    pub checkpoint: Option<Bytes>,
    /// The attempt of the last record since enqueue or redrive; 0 if there is none.
    pub recorded_through: u32,
}

impl Delivery {
    /// The greatest checkpoint in bytes.
    pub const CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

    /// A delivery of `message`.
    pub fn new(message: Message, receipt: Receipt, attempt: u32, leased_until: Timestamp) -> Self {
        Self {
            message,
            receipt,
            attempt,
            leased_until,
            checkpoint: None,
            recorded_through: 0,
        }
    }

    /// How many deliveries before this one vanished in a row: they ended without a settle,
    /// because a worker crashed, hung or lost its lease.
    pub fn vanished(&self) -> u32 {
        self.attempt.saturating_sub(1 + self.recorded_through)
    }
}

/// What a receive answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The deliveries, in the order they should be worked.
    pub deliveries: Vec<Delivery>,
    /// How many rows were set aside because they are damaged or of a newer version.
    pub set_aside: u32,
}

impl Received {
    /// An answer.
    pub fn new(deliveries: Vec<Delivery>, set_aside: u32) -> Self {
        Self {
            deliveries,
            set_aside,
        }
    }
}

/// How a delivery ends.
///
/// The last three carry a checkpoint: `Some` replaces the stored one, `None` keeps it, an empty
/// one clears it. It survives crashes and moves; a redrive clears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Done: the message is forgotten.
    Ack,
    /// Failed: it comes back at `due`; the attempt counts.
    Retry {
        /// When it comes back.
        due: Due,
        /// How the attempt ended.
        record: AttemptRecord,
        /// For the next attempt.
        checkpoint: Option<Bytes>,
    },
    /// Not worked (shutdown, no handler, open circuit): it comes back, the attempt is given back.
    Release {
        /// When it comes back; `None` is at once and at its old place.
        due: Option<Due>,
        /// For the next attempt.
        checkpoint: Option<Bytes>,
    },
    /// Given up: it goes to the dead letters.
    DeadLetter {
        /// Why.
        reason: DeadReason,
        /// How the last attempt ended.
        record: AttemptRecord,
        /// Hold its group until it is redriven or discarded.
        park_group: bool,
        /// Kept for a person to look at.
        checkpoint: Option<Bytes>,
    },
}

impl Disposition {
    /// The word for logs and metrics: ack, retry, release or dead-letter.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::Retry { .. } => "retry",
            Self::Release { .. } => "release",
            Self::DeadLetter { .. } => "dead-letter",
        }
    }

    /// The checkpoint it carries.
    pub const fn checkpoint(&self) -> Option<&Bytes> {
        match self {
            Self::Ack => None,
            Self::Retry { checkpoint, .. }
            | Self::Release { checkpoint, .. }
            | Self::DeadLetter { checkpoint, .. } => checkpoint.as_ref(),
        }
    }
}

/// A receipt and how its delivery ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which delivery.
    pub receipt: Receipt,
    /// How it ends.
    pub disposition: Disposition,
}

/// What became of a settlement or an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settled {
    /// It has effect.
    Applied,
    /// The receipt is stale: another delivery exists, or the message is gone. No effect.
    LeaseLost,
}
