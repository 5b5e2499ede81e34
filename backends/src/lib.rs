//! Opens any longshore store by its URL.

#[cfg(any(feature = "redis", feature = "cassandra"))]
mod password_file;
mod schemes;

pub use schemes::registry;
