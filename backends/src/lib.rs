//! Opens any longshore store by its URL.

mod registry;

pub use registry::registry;
