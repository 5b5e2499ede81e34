//! A distributed work queue over the stores people already run.
//!
//! A producer connects to a store by URL and enqueues; worker processes on any number of hosts
//! compete for the work. Leases bring a crashed worker's messages back, and what keeps failing
//! lands in the dead letters with its history.

mod clock;
mod connect;
mod connection;
mod error;
pub mod extract;
mod handler;
mod hooks;
mod job;
mod measure;
pub mod prelude;
mod queue;
#[cfg(feature = "routes")]
pub mod routes;
mod runtime;
#[cfg(feature = "test-kit")]
pub mod test_kit;
mod worker;

pub use connect::{connect, connect_with, registry};
pub use connection::Connection;
pub use error::EnqueueError;
pub use handler::{BlockingHandler, Handler, HandlerService};
pub use hooks::{DeadEvent, FailedAttempt, RetryEvent};
pub use job::{
    CheckpointSlot, Hold, IntoOutcome, JobContext, Outcome, Processor, ProcessorOptions,
};
pub use longshore_core as core;
pub use longshore_core::{
    AttemptRecord, DeadReason, Dedup, Delivery, Due, ErrorPolicy, Failure, FailureClass, GroupName,
    Headers, IdOrigin, Job, JobKind, Label, Lane, Message, MessageId, NameError, NewMessage,
    OpenOptions, QueueName, StoreError, StoreErrorKind, StoreUrl, Timestamp, TraceContext,
};
pub use queue::{
    BatchError, BatchItem, BatchOutcome, EnqueueBatch, EnqueueJob, EnqueuedJob, ItemOutcome, Queue,
};
pub use worker::{
    BuildError, HandlerConfig, Policy, QueueConfig, RunError, RunReport, Worker, WorkerBuilder,
    WorkerHandle, WorkerStats,
};
