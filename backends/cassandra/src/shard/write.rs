//! From decisions to rows: events on their way to the replicas.
//!
//! **Owns** the events that one step decided on ([`event_batch`]) and the writes that have begun
//! and not ended yet ([`in_flight`]).
//!
//! **Invariant.** A decision is in memory before it is written and is told to a caller only after
//! it was written. A write that failed, or whose outcome is unknown, puts the memory of its shard
//! in doubt; nothing is read again before all writes that had begun have ended, so that none of
//! them arrives behind the read.
//!
//! **When a process is killed.** Each batch is of one partition and is there as a whole or not at
//! all. A receive that died with its events written costs its messages an attempt; they come back
//! when their leases end.
//!
//! **Who writes.** The events of an owner, but for those that take a redelivery back
//! ([`crate::shard::redelivery`]). Processes that do not own the shard write theirs in
//! `settle/unowned`.

pub(crate) mod event_batch;
pub(crate) mod in_flight;
