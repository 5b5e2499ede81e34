//! The verbs: one file each.

mod backup;
mod bench;
mod cancel;
mod changed;
mod completions;
mod dead;
mod delete;
mod doctor;
mod enqueue;
mod extend;
mod fsck;
mod init;
mod move_queue;
mod pause;
mod peek;
mod perform;
mod purge;
mod queues;
mod receive;
mod reschedule;
mod resume;
mod routes;
mod run;
mod schema;
mod settle;
mod show;
mod workers;

pub(crate) use perform::perform;
