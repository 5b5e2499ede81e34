//! What a run has done.

use std::sync::Arc;

use serde::Serialize;

/// The numbers of a run at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Messages that are done.
    pub acked: u64,
    /// Attempts that failed and are tried again.
    pub retried: u64,
    /// Messages that were dead-lettered.
    pub dead: u64,
    /// Deliveries that were given back uncharged.
    pub released: u64,
    /// Jobs that run now.
    pub running: u64,
    /// Jobs that may run at a time.
    pub slots: u64,
    /// Messages that the intakes stored.
    pub fed: u64,
    /// Files and lines of intakes that no message can hold; each was logged as an error.
    pub refused: u64,
}

/// Called with the numbers of a run while it goes on.
pub(crate) type Observer = Arc<dyn Fn(&Progress) + Send + Sync>;

/// What a run did, once it is over. As JSON it is `{"acked","retried","dead","seconds"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Messages that are done.
    pub acked: u64,
    /// Attempts that failed and were tried again.
    pub retried: u64,
    /// Messages that were dead-lettered.
    pub dead: u64,
    /// How long it ran.
    pub seconds: f64,
    /// Messages that the intakes stored.
    #[serde(skip)]
    pub fed: u64,
    /// Files and lines of intakes that no message can hold; each was logged as an error.
    #[serde(skip)]
    pub refused: u64,
    /// Why it ended.
    #[serde(skip)]
    pub ended: Ended,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// There was nothing left to do.
    Idle,
    /// It was told to stop, and drained.
    Stopped,
    /// It was told to stop at once.
    StoppedNow,
    /// Something is left that this run cannot do.
    Stuck {
        /// What, in one sentence.
        why: String,
    },
}
