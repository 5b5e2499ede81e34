//! A shard with more messages than its window holds.

mod ahead;
mod aside;
mod backlog;
mod drain;
mod revived;
mod rows;
