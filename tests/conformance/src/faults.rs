//! A store that fails when a test wants it to.
//!
//! [`FaultStore::wrap`] puts itself before any backend. Each call of each trait can be refused
//! before it happens, answered with an error after it happened, or held until the test lets it
//! go on. There is no chance in it: the n-th call of a method meets what was planned for it.

mod call;
mod control;
mod gate;
mod store;

pub use call::Call;
pub use control::{Fault, FaultControl};
pub use gate::Gate;
pub use store::FaultStore;
