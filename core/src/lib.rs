//! The words, traits and pure decisions of longshore.
//!
//! This crate has no runtime, does no I/O and never reads a clock: time comes in through
//! [`Clock`], randomness through arguments. Stores implement [`QueueStore`], [`QueueAdmin`],
//! [`LeaseStore`] and [`ProgressStore`]; the worker library builds everything else on them.

mod admin;
mod aggregate;
mod attempt;
mod backend;
mod clock;
mod cursor;
mod dead;
mod delivery;
mod due;
mod error;
mod failure;
mod finding;
mod floor;
mod fsck;
mod headers;
mod history;
mod id;
mod job;
mod label;
mod lane;
mod lease;
mod limits;
mod message;
mod moving;
mod name;
mod pause;
mod policy;
mod progress;
mod receipt;
mod registry;
mod settings;
mod stats;
mod store;
mod stored;
mod stuck;
mod suggest;
mod time;
mod url;
pub mod validate;
pub mod wire;
mod workers;

pub use admin::{Adopted, Changed, Found, Purged, QueueAdmin};
pub use aggregate::AggregateStore;
pub use attempt::{AttemptRecord, ERROR_BYTES_MAX};
pub use backend::{Backend, OpenOptions};
#[cfg(feature = "test-util")]
pub use clock::ManualClock;
pub use clock::{Clock, StepListener};
pub use cursor::{Cursor, Page};
pub use dead::{DeadMark, DeadReason};
pub use delivery::{Delivery, Disposition, Received, Settled, Settlement};
pub use due::Due;
pub use error::{Effect, Result, StoreError, StoreErrorKind};
pub use failure::{Failure, FailureClass};
pub use finding::{Finding, Severity};
pub use floor::{Floor, FloorReport, FloorServer, FloorSpec, ServerCounts, ServerUsage};
pub use fsck::{Census, Fsck};
pub use headers::Headers;
pub use history::{History, RecordedAttempt};
pub use id::{IdOrigin, MessageId};
pub use job::Job;
pub use label::Label;
pub use lane::Lane;
pub use lease::{LeaseStore, NamedLease};
pub use limits::{DepthBound, FreshIdRepeat, GivenIdRepeat, LeaseUnit, SettleFence, StoreLimits};
pub use message::{Dedup, Message, NewMessage, TraceContext};
pub use moving::MovingMark;
pub use name::{DedupKey, GroupName, JobKind, LeaseName, NameError, QueueName, RouteName};
pub use pause::Pause;
pub use policy::{Clause, ClauseAction, Decision, DelayTable, ErrorPolicy, Jitter, PolicyChange};
pub use progress::ProgressStore;
pub use receipt::{Receipt, ReceiptWord};
pub use registry::{OpenFloor, OpenFuture, Registry, Scheme};
pub use settings::{Configured, OnExpired, OnGroupDead, Overridden, QueueSettings, SettingsChange};
pub use stats::QueueStats;
pub use store::{Enqueued, QueueStore, Receive};
pub use stored::{Content, MessageState, StoredMessage};
pub use suggest::nearest;
pub use time::Timestamp;
pub use url::{StoreUrl, UrlError};
pub use workers::{RunningJob, WorkerInfo};
