//! Real servers on free loopback ports, for tests. Each ends with the value that stands for it.

mod single;

pub(crate) use single::Server;
