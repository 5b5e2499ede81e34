//! The numbers of a queue.

use std::time::Duration;

use crate::{MovingMark, Pause, QueueSettings, Timestamp};

/// The numbers of a queue at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStats {
    /// Ready messages and those behind another member of their group.
    pub waiting: u64,
    /// Messages that are not due yet.
    pub delayed: u64,
    /// Messages in a worker's hands, those with an ended lease included.
    pub leased: u64,
    /// Dead letters.
    pub dead: u64,
    /// Of the dead ones, how many hold their group.
    pub parked: u64,
    /// Of the waiting ones, how many are of a newer version and put back for a while.
    pub set_aside: u64,
    /// How long the oldest message that is ready has been waiting.
    pub oldest_age: Option<Duration>,
    /// The pause, if there is one.
    pub paused: Option<Pause>,
    /// The mark of a move, if there is one.
    pub moving: Option<MovingMark>,
    /// The settings.
    pub settings: QueueSettings,
    /// Whether the counts are exact; estimates otherwise.
    pub exact: bool,
    /// When the oldest of the counts that an estimate adds up was taken; `None` where none was kept
    /// from before.
    pub counted_at: Option<Timestamp>,
}

impl QueueStats {
    /// Messages that still have to be worked.
    pub fn live(&self) -> u64 {
        self.waiting + self.delayed + self.leased
    }
}
