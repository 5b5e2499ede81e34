//! The in-process store of longshore: the reference model.
//!
//! It is the simplest code that keeps every rule of the contract, and what the other stores are
//! compared with. Everything lies in maps behind one mutex; it ends with the process.
//!
//! Every message has one *place* in its queue: the time it first became due, then the order of
//! arrival. It keeps its place through retries, releases and ended leases. Lists, pages, groups
//! and hand-outs all follow that order.

mod admin;
mod adopt;
mod aggregate;
mod change;
mod clock;
mod config;
mod coordination;
mod dead;
mod enqueue;
mod floor;
mod groups;
mod open;
mod pages;
mod queue;
mod receipt;
mod receive;
mod schema;
mod settle;
mod store;

pub use open::{open, scheme};
pub use store::MemoryStore;
