//! From checked trees to routes.

mod inherited;
mod load;
mod queues;
mod route;
mod whole;

pub use load::load;
#[cfg(test)]
pub(crate) use load::load_text;
