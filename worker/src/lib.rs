//! A distributed work queue over the stores people already run.
//!
//! A producer connects to a store by URL and enqueues; worker processes on any number of hosts
//! compete for the work. Leases bring a crashed worker's messages back, and what keeps failing
//! lands in the dead letters with its history. Delivery is at least once: a handler may run
//! twice for one message, and must bear it.
//!
//! ```
//! use longshore::prelude::*;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Resize { url: String, width: u32 }
//! impl Job for Resize { const KIND: &'static str = "resize"; }
//!
//! async fn resize(job: Resize, Attempt(n): Attempt) -> Result<(), Failure> {
//!     println!("{} to {}, attempt {n}", job.url, job.width);
//!     Ok(())
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let connection = longshore::connect("memory://doc").await?;
//! let queue = connection.queue("images")?;
//! queue.enqueue(Resize { url: "cat.png".into(), width: 640 }).await?;
//!
//! let worker = Worker::builder(connection)
//!     .queue("images", |q| q.handle(resize).concurrency(8).on_error("http.503", Policy::redeliveries(20)))
//!     .build()?;
//! let handle = worker.handle();
//! // A program of its own says `worker.run().await`, which ends at SIGTERM.
//! let until_done = async {
//!     while handle.stats().done.acked < 1 {
//!         tokio::time::sleep(Duration::from_millis(1)).await;
//!     }
//! };
//! assert_eq!(worker.run_until(until_done).await?.acked, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! The examples of this crate show one idea each; the feature `test-kit` brings a worker for tests.

pub mod aggregate;
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
mod runtime;
pub mod spans;
#[cfg(feature = "test-kit")]
pub mod test_kit;
pub mod transfer;
mod worker;

pub use aggregate::{Aggregate, AggregateError, Release};
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
    AggregateKey, AggregateName, AggregateRules, AttemptRecord, DeadReason, Dedup, Delivery, Due,
    ErrorPolicy, Failure, FailureClass, GroupName, Headers, IdOrigin, Job, JobKind, Label, Lane,
    Message, MessageId, NameError, NewMessage, OpenOptions, QueueName, StoreError, StoreErrorKind,
    StoreUrl, Timestamp, TraceContext,
};
pub use queue::{
    BatchError, BatchItem, BatchOutcome, EnqueueBatch, EnqueueJob, EnqueuedJob, ItemOutcome, Queue,
};
pub use worker::{
    BuildError, HandlerConfig, Policy, QueueConfig, RunError, RunReport, Worker, WorkerBuilder,
    WorkerHandle, WorkerStats,
};
