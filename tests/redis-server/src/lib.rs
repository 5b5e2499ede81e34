//! A redis-server of a test's own: started on a free port, ended with the value.

mod server;

pub use server::{Server, free_port};
