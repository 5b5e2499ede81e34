//! The test kit: handlers run one message at a time on a memory store whose clock stands still
//! until the test moves it.

pub use longshore_core::ManualClock;
