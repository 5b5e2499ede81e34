//! From checked trees to routes.

pub(crate) mod files;
pub(crate) mod inherited;
pub(crate) mod queues;
pub(crate) mod route;
pub(crate) mod whole;

pub use files::load;
#[cfg(test)]
pub(crate) use files::load_text;
