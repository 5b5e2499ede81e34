//! The schemes this build knows.

use longshore_core::{Registry, Scheme};

/// Every scheme there is. One that is not compiled in answers `Unsupported` and names the
/// feature that brings it.
pub fn registry() -> Registry {
    Registry::new()
        .with(Scheme {
            name: "memory",
            feature: "memory",
            open: None,
            ddl: None,
            floor: None,
        })
        .with(Scheme {
            name: "sqlite",
            feature: "sqlite",
            open: None,
            ddl: None,
            floor: None,
        })
}
