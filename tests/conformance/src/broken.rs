//! Stores that are broken on purpose: the test of the tests.
//!
//! Each [`Flaw`] breaks one rule of a good store, and names cases that must notice.

mod aggregate_flaw;
mod aggregates;
mod flaw;
mod messages;
mod store;
mod subject;
mod trials;

pub use aggregate_flaw::AggregateFlaw;
pub use flaw::Flaw;
pub use trials::main;
