//! Route files: where messages come from, what is done with each, and what becomes of failures.

mod build;
mod checkpoint;
mod control;
mod error;
mod idle;
mod intake;
mod policies;
mod processor;
mod progress;
mod read;
mod ready;
mod route;
mod runner;
mod set;
mod settings;
mod steps;
mod template;

pub use build::load;
pub use control::RunnerHandle;
pub use error::ConfigError;
pub use progress::{Ended, Progress, Summary};
pub use ready::ReadyRunner;
pub use runner::{RunFailure, Runner};
pub use set::RouteSet;
