//! What runs a worker: fetch, hand out, work, settle, and keep leases meanwhile.

mod announce;
mod conclude;
mod counters;
mod decide;
mod drain;
mod entry;
mod execute;
mod fate;
mod fetch;
mod gate;
mod gauges;
mod group_dead;
mod hand_out;
mod identity;
mod job_task;
mod lease_keeper;
mod meters;
mod phases;
mod prepare;
mod queue_runtime;
mod receive_errors;
mod retention;
mod run;
mod running_jobs;
mod settle_rounds;
mod settler;
mod settling;
mod shared;
mod slots;
mod streaks;
mod tasks;

#[cfg(feature = "test-kit")]
pub(crate) use conclude::{conclude, refuse};
#[cfg(feature = "test-kit")]
pub(crate) use execute::execute;
#[cfg(feature = "test-kit")]
pub(crate) use fate::{Conclusion, Fate};
pub(crate) use queue_runtime::QueueRuntime;
pub(crate) use run::run;
pub(crate) use settler::Inbox;
pub(crate) use shared::Shared;
