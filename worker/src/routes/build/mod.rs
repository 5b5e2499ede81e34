//! From checked trees to routes.

mod inherited;
mod load;
mod queues;
mod route;
mod whole;

pub use load::load;
#[cfg(test)]
pub(in crate::routes) use load::load_text;
