//! The Cassandra store of longshore: a queue on tables that are only inserted into.
//!
//! Messages lie in partitions of a stream (queue, shard, kind) and a span of time. What happens
//! to a message is inserted beside it as an event; its state is what its row and its events add up
//! to. Nothing is deleted but whole partitions, once they are closed and all in them is done.
//! No message costs a lightweight transaction; the few there are belong to buckets, owners of
//! stripes, dedup keys and named leases.
//!
//! A process that owns a stripe keeps its shards in memory and hands messages out. Owning saves
//! work and keeps order. That nothing is lost rests on events alone.

mod admin;
mod aggregate;
mod check;
mod clock;
mod config;
mod coordination;
mod cql;
mod dead;
mod enqueue;
mod error;
mod floor;
mod open;
mod ownership;
mod pages;
mod producer;
mod protocol;
mod receive;
mod settle;
mod shard;
mod shard_access;
mod store;
mod tasks;
#[cfg(test)]
mod tests;

pub use open::{Shared, backend, open, schemes};
pub use store::CassandraStore;
