//! The Redis store of longshore.
//!
//! A lane of a queue is a stream: an ordered store of bodies with a cursor of ours. One receive
//! leases a *segment*, a run of entries under one row; its random name is the fence of every
//! receipt. What waits for a time or for its group lies beside the streams as packed rows. Every
//! operation is one script or one transaction, so each is atomic; see `docs/redis.md` for the
//! layout.

mod admin;
mod adopt;
mod change;
mod check;
mod clock;
mod config;
mod control;
mod dead;
mod denial;
mod enqueue;
mod enqueue_any;
mod enqueue_bare;
mod error;
mod find;
mod fit;
mod floor;
mod floor_server;
mod greeting;
mod lease;
mod link;
mod open;
mod page;
mod pages;
mod part;
mod pending;
mod place;
mod progress;
mod receipt;
mod receive;
mod receive_bare;
mod refusal;
mod reply;
mod row;
mod schema;
mod script;
mod segment;
mod sentinel;
mod settings;
mod settle;
mod store;
mod stuck;
mod transaction;
mod waits;
mod wake;
mod ways;
mod workers;

pub use open::{open, schemes};
pub use store::RedisStore;
