//! Route files: where messages come from, what is done with each, and what becomes of failures.

mod build;
mod checkpoint;
mod control;
mod error;
mod explain;
mod failure;
mod findings;
mod graph;
mod idle;
mod intake;
mod labels;
mod mistakes;
mod policies;
mod processor;
mod progress;
mod read;
mod ready;
mod route;
mod runner;
mod schema;
mod set;
mod settings;
mod steps;
mod template;

pub use build::load;
pub use checkpoint::StoppedAt;
pub use control::RunnerHandle;
pub use error::ConfigError;
pub use explain::{MatchedClause, PlannedDelay, PlannedOutcome, RetryPlan};
pub use failure::RunFailure;
pub use graph::{Graph, GraphRoute};
pub use progress::{Ended, Progress, Summary};
pub use ready::ReadyRunner;
pub use runner::Runner;
pub use schema::json_schema;
pub use set::RouteSet;
