//! From checked trees to routes.

mod load;
mod queues;
mod route;
mod whole;

pub use load::load;
