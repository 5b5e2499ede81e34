//! The Cassandra store of longshore: a queue on tables that are only inserted into.
//!
//! Messages lie in partitions of a stream (queue, shard, lane) and a slice of time. What happens
//! to a message is inserted beside it as a fact; its state is what its row and its facts add up
//! to. Nothing is deleted but whole partitions, once they are closed and all in them is done.
//! No message costs a lightweight transaction; the few there are belong to buckets, owners of
//! stripes, dedup keys and named leases.
//!
//! A process that owns a stripe keeps its shards in memory and hands messages out. Owning saves
//! work and keeps order. That nothing is lost rests on facts alone.

mod admin;
mod adopt;
mod afar;
mod amend;
mod attempts;
mod catalog;
mod cells;
mod check;
mod claims;
mod clock;
mod config;
mod connect;
mod copies;
mod counts;
mod cursors;
mod data_centre;
mod ddl;
mod dead;
mod depth;
mod driver;
mod enqueue;
mod error;
mod floor;
mod greeting;
mod join;
mod key;
mod lease;
mod lines;
mod link;
mod look;
mod open;
mod owner;
mod pages;
pub mod produce;
mod progress;
mod queue_def;
mod receive;
mod recent;
pub mod rows;
mod schema;
mod settle;
pub mod shard;
#[cfg(test)]
#[path = "../tests/simulated/mod.rs"]
mod simulated;
mod statement;
mod stats;
mod store;
mod tables;
mod upkeep;
mod watch;
#[cfg(test)]
#[path = "../tests/window/mod.rs"]
mod window_tests;
mod workers;

pub use open::{Shared, open, schemes};
pub use store::CassandraStore;
