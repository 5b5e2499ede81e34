//! Fixed facts about a store.

use std::num::NonZeroU32;
use std::time::Duration;

/// What a store can do and where it differs. Limits are enforced before the store is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreLimits {
    /// The greatest body in bytes that any queue of this store takes.
    pub body_bytes_max: usize,
    /// The body limit of a queue that sets none. Default 1 MiB.
    pub body_bytes_default: usize,
    /// The greatest batch of one call.
    pub batch_max: NonZeroU32,
    /// What one lease covers.
    pub lease_unit: LeaseUnit,
    /// Whether a racing stale settle may answer Applied.
    pub settle_fence: SettleFence,
    /// How exact `depth_max` is.
    pub depth: DepthBound,
    /// How a repeat of a given id is recognised.
    pub given_id_repeat: GivenIdRepeat,
    /// How a repeat of a fresh id is recognised.
    pub fresh_id_repeat: FreshIdRepeat,
    /// How much higher than the true number of deliveries `attempt` may be.
    pub attempt_slack: u32,
    /// How much longer than its wait a receive may take to get messages that another worker
    /// owns.
    pub handover_max: Duration,
    /// How many rows a lookup by id reads before it answers `NotFoundWithinBound`; `None` where
    /// a lookup is exact.
    pub find_rows_max: Option<NonZeroU32>,
    /// Whether first deliveries of a queue keep the enqueue order within a lane. Where not, those
    /// of a group do, and those of one enqueue call whose ids are fresh.
    pub ordered: bool,
    /// The smallest difference between two times.
    pub time_precision: Duration,
    /// Whether an acknowledged enqueue survives the end of every process.
    pub durable: bool,
    /// Whether processes on several hosts may share it.
    pub shared_across_hosts: bool,
}

impl StoreLimits {
    /// The limits of a store that keeps every rule exactly, within one host.
    pub fn exact() -> Self {
        Self {
            body_bytes_max: 16 * 1024 * 1024,
            body_bytes_default: 1024 * 1024,
            batch_max: NonZeroU32::new(1000).unwrap_or(NonZeroU32::MIN),
            lease_unit: LeaseUnit::Message,
            settle_fence: SettleFence::Write,
            depth: DepthBound::Exact,
            given_id_repeat: GivenIdRepeat::Duplicate,
            fresh_id_repeat: FreshIdRepeat::WhileItLives,
            attempt_slack: 0,
            handover_max: Duration::ZERO,
            find_rows_max: None,
            ordered: true,
            time_precision: Duration::from_millis(1),
            durable: true,
            shared_across_hosts: false,
        }
    }
}

/// What one lease covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeaseUnit {
    /// One message.
    Message,
    /// All messages of one receive: extending one extends all.
    Receive,
}

/// Where a stale settle is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettleFence {
    /// In the write itself: a stale call never answers Applied.
    Write,
    /// When the settle is read: a racing stale call may answer Applied, but has no effect.
    Read,
}

/// How exact the depth limit of a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DepthBound {
    /// Never passed.
    Exact,
    /// Exact for each partition of the queue.
    PerPartition,
    /// Compared with an estimate.
    Estimate,
}

/// How a repeat of a fresh id is recognised. Fresh ids never come twice but in a repeated call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FreshIdRepeat {
    /// By the id, while the message lives or is dead.
    WhileItLives,
    /// By the call: the same messages in one call through the same handle.
    SameCall,
}

/// What a repeat of a given id answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GivenIdRepeat {
    /// Duplicate.
    Duplicate,
    /// Stored, and the copies are collapsed at delivery, where they are of one group or of none.
    CollapsedAtDelivery,
}
