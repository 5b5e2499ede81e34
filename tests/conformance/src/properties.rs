//! Random histories, played against a store and the reference model side by side.
//!
//! After every operation the answers and everything that can be seen of the queues must be the
//! same, and a ledger that knows neither store checks what must hold whatever they agree on.

mod aggregates;
mod ledger;
mod operation;
mod pair;
mod play;
mod runs;
mod seen;
mod step;
mod strategy;

pub(crate) use aggregates::{an_aggregate_history_fails, random_aggregates_agree};
pub(crate) use play::{a_history_fails, random_histories_agree};
