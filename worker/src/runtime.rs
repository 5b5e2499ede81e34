//! What runs a worker: fetch, hand out, work, settle, and keep leases meanwhile.

mod announce;
mod conclude;
mod counters;
mod decide;
mod drain;
mod execute;
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
mod run;
mod running_jobs;
mod settle_rounds;
mod settler;
mod shared;
mod slots;
mod streaks;

#[cfg(feature = "test-kit")]
pub(crate) use conclude::{Conclusion, conclude, refuse};
#[cfg(feature = "test-kit")]
pub(crate) use execute::execute;
pub(crate) use queue_runtime::QueueRuntime;
pub(crate) use run::run;
#[cfg(feature = "test-kit")]
pub(crate) use settler::Fate;
pub(crate) use settler::Inbox;
pub(crate) use shared::Shared;
