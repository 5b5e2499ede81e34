//! What a route file means, once it is read: routes, their policies and settings.

pub(crate) mod error;
pub(crate) mod labels;
pub(crate) mod mistakes;
pub(crate) mod policies;
pub(crate) mod route;
pub(crate) mod set;
pub(crate) mod settings;
