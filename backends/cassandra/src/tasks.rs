//! The tasks that run beside an open store, for as long as it is open.
//!
//! **Owns** two loops for each open store: [`heartbeat`] gives the sign of life, listens to
//! doorbells and answers processes that want stripes; [`maintenance`] closes, scans, moves and
//! deletes buckets, evenly over time.
//!
//! **Invariant.** Both loops hold the store weakly: it closes when its last user drops it. Each
//! round is bounded by the `timeout` of the store, an error ends the round and not the loop, and a
//! loop that panicked is begun again a second later ([`supervise`]).
//!
//! **When a process is killed.** Both are rounds of steps of other folders, which say what their
//! own crash windows are; a loop itself keeps nothing that must survive.
//!
//! **Who writes.** Through [`crate::ownership`] and [`crate::shard`] only.

pub(crate) mod heartbeat;
pub(crate) mod maintenance;
pub(crate) mod supervise;
