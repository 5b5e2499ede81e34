//! The library through its public surface, on the memory store and on SQLite.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod aggregates;
mod attempts;
mod chaos;
mod crashes;
mod drains;
mod enqueue;
mod failures;
mod faults;
mod kinds;
mod leases;
mod retention;
mod seams;
mod settling;
mod spans;
mod stage;
mod supervision;
