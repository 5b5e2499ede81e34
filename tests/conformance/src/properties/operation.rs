//! One step of a history. Picks are resolved against what is there when the step is played.

use longshore_core::{Lane, OnExpired};
use proptest::sample::Index;

/// What one step does.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Enqueue(Vec<Item>),
    /// Receives all that can be had.
    Receive {
        lease: u64,
    },
    /// Receives at most so many in one call.
    ReceiveSome {
        max: u32,
        lease: u64,
    },
    Settle(Vec<(Index, Fate)>),
    Extend(Vec<Index>, u64),
    Advance(u64),
    Cancel(Vec<Index>),
    Reschedule(Vec<Index>, u64),
    Purge,
    Pause,
    Resume,
    MarkMoving(bool),
    Redrive(Vec<Index>),
    Discard(Vec<Index>),
    Configure(Change),
    /// Copies the queue into another one, as a move does.
    Copy,
}

/// A message to enqueue.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) id: IdPick,
    pub(super) group: Option<u8>,
    pub(super) lane: Lane,
    pub(super) delay: u64,
    pub(super) expires: Option<u64>,
    pub(super) key: Option<(u8, u64)>,
}

/// Which id it has.
#[derive(Clone, Debug)]
pub(super) enum IdPick {
    Fresh,
    Given,
    /// That of an earlier message.
    Again(Index),
}

/// How a delivery ends.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    Ack,
    Retry(u64, Option<u8>),
    Release(Option<u64>, Option<u8>),
    Dead { park: bool, checkpoint: Option<u8> },
}

/// What is set of the settings.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) depth_max: Option<u64>,
    pub(super) on_expired: Option<OnExpired>,
    pub(super) id_window: Option<u64>,
    pub(super) expires: Option<u64>,
}

/// A step, and through which of the two handles it goes.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) operation: Operation,
    pub(super) second_handle: bool,
}
