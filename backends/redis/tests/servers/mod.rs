//! Real servers on free loopback ports, for tests. Each ends with the value that stands for it.
#![allow(dead_code, unused_imports, reason = "each test binary uses a part of this")]

mod single;
mod topology;

pub(crate) use single::{Server, free_port as a_free_port};
pub(crate) use topology::{Cluster, Watched, text, until};
