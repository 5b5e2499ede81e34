//! What only SQLite can get wrong: files, turns between processes, wake-ups, full disks.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by a panic, in its helpers too"
)]

mod files;
mod rows;
mod scene;
mod space;
mod steps;
mod turns;
mod waking;
mod wal;
