//! Storing messages.

pub(super) mod dedup;
pub(super) mod enqueue;
pub(super) mod ids;
pub(super) mod kept;
pub(super) mod limits;
