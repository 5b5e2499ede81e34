//! The worker: handlers on queues of one store.

mod builder;
mod complete;
mod error;
mod given;
mod handler_config;
mod policy;
mod queue_config;
mod report;
mod running;
mod setup;

pub use builder::WorkerBuilder;
pub use error::{BuildError, RunError};
pub use handler_config::HandlerConfig;
pub use policy::Policy;
pub use queue_config::QueueConfig;
pub use report::{RunReport, WorkerStats};
pub use running::{Worker, WorkerHandle};

pub(crate) use setup::{ProcessorSetup, QueueSetup, Setup};
