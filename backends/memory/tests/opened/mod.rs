//! The memory store as the suite opens it.

mod harness;

pub(crate) use harness::Memory;
