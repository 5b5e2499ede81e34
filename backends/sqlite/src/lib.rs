//! The SQLite store of longshore: one file, many processes on one host.
//!
//! All handles of a process share one writer thread per file. It takes turns with the writers of
//! other processes through a lock file, runs all calls that wait in one transaction, and answers
//! them after the commit. A bell file wakes receivers that sleep in other processes.

mod access;
mod admin;
mod adopt;
mod backup;
mod bell;
mod bulk;
mod call;
mod change;
mod check;
mod clock;
mod closing;
mod config;
mod connect;
mod dead;
mod detail;
mod engine;
mod enqueue;
mod error;
mod floor;
mod fsck;
mod group;
mod host;
mod lease;
mod live;
mod look;
mod open;
mod pages;
mod place;
mod prepare;
mod presence;
mod progress;
mod promote;
mod queue_row;
mod reader;
mod receive;
mod remembered;
mod schema;
mod settle;
mod side_lock;
mod sleepers;
mod space;
mod state;
mod stats;
mod store;
mod tx;
mod upkeep;
mod view;
mod workers;
mod writer;

pub use host::Host;
pub use open::{open, open_on, scheme};
pub use space::{Room, RoomProbe};
pub use store::SqliteStore;
