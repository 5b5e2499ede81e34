//! The verbs: one file each.

mod aggregates;
mod backup;
mod bench;
mod cancel;
mod changed;
mod completions;
mod dead;
mod doctor;
mod enqueue;
mod extend;
mod fsck;
mod init;
mod peek;
mod perform;
mod queue;
mod receive;
mod reschedule;
mod routes;
mod run;
mod schema;
mod settle;
mod show;
mod workers;

pub(crate) use perform::perform;
