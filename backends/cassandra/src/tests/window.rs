//! A shard with more messages than its window holds.

mod again;
mod ahead;
mod aside;
mod backlog;
mod counts;
mod drain;
mod revived;
mod rows;
