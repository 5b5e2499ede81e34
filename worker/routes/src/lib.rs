//! Route files: where messages come from, what is done with each, and what becomes of failures.

mod inspect;
mod intake;
mod load;
mod model;
pub mod program;
mod run;
mod steps;
mod template;

pub use inspect::explain::{MatchedClause, PlannedDelay, PlannedOutcome, RetryPlan};
pub use inspect::graph::{Graph, GraphRoute};
pub use inspect::schema::json_schema;
pub use intake::{Carried, carry_progress};
pub use load::assemble::load;
pub use model::error::ConfigError;
pub use model::set::RouteSet;
pub use run::checkpoint::StoppedAt;
pub use run::control::RunnerHandle;
pub use run::failure::RunFailure;
pub use run::progress::{Ended, Progress, Summary};
pub use run::ready::ReadyRunner;
pub use run::runner::Runner;
