//! Opens any longshore store by its URL.

mod schemes;

pub use schemes::registry;
