//! Benchmarks of the hot pure parts: what every message costs on every store. Each group has its
//! floor beside it, the least that could be done with the same bytes, so that what counts is a
//! ratio and not the machine:
//!
//! ```text
//! cargo bench -p longshore-benches
//! ```
//!
//! What a store costs is measured by `longshore bench`.

mod floor;
mod samples;

pub use floor::{copy_and_hash, hash};
pub use samples::{full_message, plain_message, policy};
