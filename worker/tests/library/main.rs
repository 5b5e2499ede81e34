//! The library through its public surface, on the memory store and on SQLite.

mod attempts;
mod crashes;
mod drains;
mod enqueue;
mod failures;
mod faults;
mod kinds;
mod leases;
mod settling;
mod stage;
