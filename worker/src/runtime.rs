//! What runs a worker: fetch, hand out, work, settle, and keep leases meanwhile.

mod closer;
mod entry;
mod identity;
mod job;
mod observe;
mod prepare;
mod queue_runtime;
mod receive;
mod retention;
mod run;
mod settle;
mod shared;
mod shutdown;
mod tasks;

#[cfg(feature = "test-kit")]
pub(crate) use job::execute::execute;
#[cfg(feature = "test-kit")]
pub(crate) use job::outcome::{conclude, refuse};
pub(crate) use queue_runtime::QueueRuntime;
pub(crate) use run::run;
#[cfg(feature = "test-kit")]
pub(crate) use settle::conclusion::{Conclusion, Fate};
pub(crate) use settle::handle::Inbox;
pub(crate) use shared::Shared;
