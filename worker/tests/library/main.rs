//! The library through its public surface, on the memory store and on SQLite.

mod attempts;
mod enqueue;
mod faults;
mod stage;

