//! Settlements on their way to the store: handed in ([`handle`], [`conclusion`]), gathered into
//! batches ([`batcher`]), sent again while the store is away ([`retry`]).
//!
//! A settlement is told to hooks and counts only once the store has applied it.

pub(crate) mod batcher;
pub(crate) mod conclusion;
pub(crate) mod handle;
pub(crate) mod retry;
