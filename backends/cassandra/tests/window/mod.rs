//! A shard with more messages than its window holds.

mod ahead;
mod backlog;
mod drain;
mod revived;
mod rows;
