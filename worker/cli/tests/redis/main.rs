//! The command line on a real redis-server.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod bench;
mod login;
