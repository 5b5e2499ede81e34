//! Tries longshore with several real processes, real kills and real files.
//!
//! The tests are in `tests/system/`; here is what they are told with: a [`Place`] of its own for
//! each test, [`Process`]es to start and kill, the command line as [`Cli`], the lines that
//! handlers leave as [`Effects`], and a checker that judges what happened ([`History`]).

mod act;
mod audit;
mod binaries;
mod cassandra;
mod cassandra_audit;
mod cli;
mod data_centres;
mod effects;
mod fleet;
mod history;
mod journal;
mod lease_log;
mod ledger;
mod orders;
mod place;
mod process;
#[cfg(doctest)]
mod readme;
mod tmpfs;
mod verdict;
mod wait;

pub use act::{Act, Work};
pub use audit::{integrity, make_foreign_database, settle_into_one_file};
pub use binaries::{LONGSHORE, PRODUCER, WORKER, binary};
pub use cassandra::{CassandraCluster, NodesAway};
pub use cassandra_audit::CassandraAudit;
pub use cli::{Answer, Cli};
pub use data_centres::DataCentres;
pub use effects::{Effect, EffectLog, Effects, Moment};
pub use fleet::Fleet;
pub use history::History;
pub use lease_log::{LeaseLog, LeasedStart};
pub use ledger::Ledger;
pub use orders::{ProducerOrder, WorkerOrder};
pub use place::Place;
pub use process::{Ending, Process};
pub use tmpfs::SmallDisk;
pub use verdict::{Violation, inside_leases, judge};
pub use wait::{until, until_some};
