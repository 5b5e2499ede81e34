//! Verbs about a whole queue.

pub(super) mod delete;
pub(super) mod move_queue;
pub(super) mod pause;
pub(super) mod purge;
pub(super) mod queues;
pub(super) mod resume;
