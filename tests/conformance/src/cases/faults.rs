//! Faults, crowds, and ends of what can be said.

pub(super) mod cancellation;
pub(super) mod concurrency;
pub(super) mod damage;
pub(super) mod extremes;
pub(super) mod fleet;
