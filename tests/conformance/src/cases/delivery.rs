//! Delivering messages and ending their deliveries.

pub(super) mod attempts;
pub(super) mod checkpoint;
pub(super) mod expiry;
pub(super) mod extend;
pub(super) mod lanes;
pub(super) mod receive;
pub(super) mod records;
pub(super) mod release;
pub(super) mod settle;
pub(super) mod stale;
pub(super) mod wake;
