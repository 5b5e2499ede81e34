//! The words, traits and pure decisions of longshore.
//!
//! This crate has no runtime, does no I/O and never reads a clock: time comes in through
//! [`Clock`], randomness through arguments. Stores implement [`QueueStore`], [`QueueAdmin`],
//! [`LeaseStore`], [`ProgressStore`] and [`AggregateStore`]; the worker library builds everything else on them.

mod aggregate;
mod check;
mod clock;
mod delivery;
mod due;
mod error;
mod message;
mod policy;
mod queue;
mod store;
mod suggest;
mod time;
mod url;
pub mod validate;
pub mod wire;

pub use aggregate::decide::{Goes, KeyState, Placed, place};
pub use aggregate::epoch::{CompletedBy, Epoch, epoch_id};
pub use aggregate::info::{ClosedEpoch, EpochInfo, EpochState};
pub use aggregate::open::OpenEpoch;
pub use aggregate::part::{Appended, NewPart, Part};
pub use aggregate::place::{EpochPlace, PartPlace};
pub use aggregate::rules::{AggregateRules, Home, LateParts, WhenFull};
pub use aggregate::state::{AggregateSnapshot, AggregateState, EpochShard, PartHead};
pub use check::{Census, Finding, Fsck, Severity};
#[cfg(feature = "test-util")]
pub use clock::ManualClock;
pub use clock::{Clock, StepListener, Uptime};
pub use delivery::attempt::{AttemptRecord, ERROR_BYTES_MAX};
pub use delivery::dead::{DeadMark, DeadReason};
pub use delivery::failure::{Failure, FailureClass};
pub use delivery::history::{History, RecordedAttempt};
pub use delivery::label::Label;
pub use delivery::receipt::{Receipt, ReceiptWord};
pub use delivery::{Delivery, Disposition, Received, Settled, Settlement};
pub use due::Due;
pub use error::{Effect, Result, StoreError, StoreErrorKind};
pub use message::headers::Headers;
pub use message::id::{IdOrigin, MessageId};
pub use message::job::Job;
pub use message::lane::Lane;
pub use message::name::{
    AggregateKey, AggregateName, DedupKey, GroupName, JobKind, LeaseName, NameError, QueueName,
    RouteName,
};
pub use message::{Dedup, Message, NewMessage, TraceContext};
pub use policy::{Clause, ClauseAction, Decision, DelayTable, ErrorPolicy, Jitter, PolicyChange};
pub use queue::pause::{MovingMark, Pause};
pub use queue::settings::{
    Configured, OnExpired, OnGroupDead, Overridden, QueueSettings, SettingsChange,
};
pub use queue::stats::QueueStats;
pub use store::admin::{Adopted, Changed, Deleted, Found, Purged, QueueAdmin};
pub use store::aggregate::{
    AggregateInfo, AggregateStore, Appends, EpochChange, Fate, Judged, Question, Turn, Turned,
    Verdict,
};
pub use store::backend::{Backend, OpenOptions};
pub use store::backup::Backup;
pub use store::cursor::{Cursor, Page};
pub use store::floor::{Floor, FloorReport, FloorServer, FloorSpec, ServerCounts, ServerUsage};
pub use store::lease::{LeaseStore, NamedLease};
pub use store::limits::{
    DepthBound, FreshIdRepeat, GivenIdRepeat, LeaseUnit, SettleFence, StoreLimits,
};
pub use store::page_size::PageSize;
pub use store::progress::ProgressStore;
pub use store::registry::{OpenFloor, OpenFuture, Registry, Scheme};
pub use store::stored::{Content, MessageState, StoredMessage};
pub use store::workers::{RunningJob, WorkerInfo};
pub use store::{Enqueued, QueueStore, Receive};
pub use suggest::nearest;
pub use time::Timestamp;
pub use url::{StoreUrl, UrlError};
