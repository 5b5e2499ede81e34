//! The Redis store of longshore.
//!
//! A lane of a queue is a stream: an ordered store of bodies with a cursor of ours. One receive
//! leases a *segment*, a run of entries under one row; its random name is the fence of every
//! receipt. What waits for a time or for its group lies beside the streams as packed rows. Every
//! operation is one script or one transaction, so each is atomic; see `docs/redis.md` for the
//! layout.

mod admin;
mod adopt;
mod aggregate;
mod change;
mod check;
mod clock;
mod config;
mod connection;
mod coordination;
mod dead;
mod enqueue;
mod error;
mod floor;
mod layout;
mod open;
mod pages;
mod receive;
mod scripts;
mod settings;
mod settle;
mod stats;
mod store;
mod sync;
mod wakeup;

pub use open::{backend_of, open, schemes};
pub use store::RedisStore;
