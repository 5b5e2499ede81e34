//! Real servers on free loopback ports, for tests. Each ends with the value that stands for it.

mod commands;
mod proxy;
mod topology;

pub(crate) use commands::Commands;
pub(crate) use longshore_redis_server::{Server, free_port};
pub(crate) use proxy::Proxy;
pub(crate) use topology::{Cluster, Watched, text, until};
