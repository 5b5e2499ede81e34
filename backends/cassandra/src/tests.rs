//! Tests that need the inside of the store: steps of the protocol on simulated replicas, and one
//! shard in memory with more messages than its window holds.

mod simulated;
mod whole_steps;
mod window;
