//! What only SQLite can get wrong: files, turns between processes, wake-ups, full disks.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by a panic, in its helpers too"
)]

#[path = "sqlite/files.rs"]
mod files;
#[path = "sqlite/rows.rs"]
mod rows;
#[path = "sqlite/scene.rs"]
mod scene;
#[path = "sqlite/space.rs"]
mod space;
#[path = "sqlite/steps.rs"]
mod steps;
#[path = "sqlite/turns.rs"]
mod turns;
#[path = "sqlite/waking.rs"]
mod waking;
#[path = "sqlite/wal.rs"]
mod wal;
