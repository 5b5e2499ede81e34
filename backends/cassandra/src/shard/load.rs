//! From rows to memory: what of a shard is read, and when.
//!
//! **Owns** how much is kept in memory ([`budget`], [`window`]), how buckets are read ([`page`],
//! [`read`], [`prefetch`]), how rows and events become entries of the index ([`ingest`],
//! [`apply_events`]), how memory follows what others write ([`refresh`], [`catch_up`],
//! [`late_arrivals`]), and the two ways to look past it ([`beyond_window`], [`observer`]).
//!
//! **Invariant.** What is in memory is a prefix of each stream: a message is ready only after all
//! messages of its stream before it were read, or came late and were swept up. Memory is a copy.
//! After a failed read or write it is in doubt and is read again before anything is handed out.
//!
//! **When a process is killed.** Nothing here is stored; the next owner reads it again.
//!
//! **Who writes.** Reading may decide on one event: a row that repeats a message that is done is
//! superseded. Copies of a message that lives are collapsed in memory, and superseded when it ends.

pub(crate) mod apply_events;
pub(crate) mod beyond_window;
pub(crate) mod budget;
pub(crate) mod catch_up;
pub(crate) mod ingest;
pub(crate) mod late_arrivals;
pub(crate) mod observer;
pub(crate) mod page;
pub(crate) mod prefetch;
pub(crate) mod read;
pub(crate) mod refresh;
pub(crate) mod window;
