//! Real servers on free loopback ports, for tests. Each ends with the value that stands for it.

mod proxy;
mod single;
mod topology;

pub(crate) use proxy::Proxy;
pub(crate) use single::{Server, free_port};
pub(crate) use topology::{Cluster, Watched, text, until};
