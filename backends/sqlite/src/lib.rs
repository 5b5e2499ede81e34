//! The SQLite store of longshore: one file, many processes on one host.
//!
//! All handles of a process share one writer thread per file. It takes turns with the writers of
//! other processes through a lock file, runs all calls that wait in one transaction, and answers
//! them after the commit. A bell file wakes receivers that sleep in other processes.

mod admin;
mod adopt;
mod aggregate;
mod change;
mod check;
mod clock;
mod config;
mod coordination;
mod database;
mod dead;
mod enqueue;
mod error;
mod file;
mod floor;
mod open;
mod pages;
mod receipt;
mod receive;
mod rows;
mod schema;
mod settle;
mod stats;
mod store;
mod wakeup;

pub use file::host::Host;
pub use file::space::{Room, RoomProbe};
pub use open::{open, open_on, scheme};
pub use store::SqliteStore;
