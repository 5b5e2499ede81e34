//! The test kit: handlers run one message at a time on a memory store whose clock stands still
//! until the test moves it.

mod error;
mod ran;
mod stepping;
mod worker;

pub use error::TestError;
pub use longshore_core::ManualClock;
pub use ran::Ran;
pub use worker::TestWorker;
