//! `longshore bench`: a store against the raw floor of its own driver.

mod args;
mod counted;
mod folder;
mod hand;
mod latency;
mod load;
mod meter;
mod place;
mod pump;
mod ratio;
mod report;
mod run;
mod scenario;
mod scratch;
mod session;
mod show;
mod steps;
mod tally;

pub(crate) use args::BenchArgs;
pub(crate) use run::run;
