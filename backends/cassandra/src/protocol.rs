//! What is stored, and what it means: the data of this store without a driver.
//!
//! **Owns** the types of the rows and the trait through which they are read and written
//! ([`storage`]), the events that are recorded about a message ([`event`]), the state they add up
//! to ([`projection`], [`snapshot`], [`disposition`]), the receipt of a delivery ([`receipt`]), the
//! streams of a shard and their buckets ([`stream_kind`]), and the clock of positions
//! ([`hybrid_clock`]).
//!
//! **Invariant.** A message row is inserted once and never changed. Events are only added, and
//! the same event twice is one event. The state of a message is a function of its row and its
//! events in the order of their serials, so any process that reads them at a quorum comes to the
//! same state, and a lost or repeated answer changes nothing.
//!
//! **When a process is killed.** Nothing here runs on its own. What a process had sent before it
//! died may be there or not; both are states that the projection knows.
//!
//! **Who writes.** Nobody in this folder. The simulation in `tests/simulated` of these sources
//! implements the same trait with replicas that delay, lose and repeat writes, so everything above
//! this folder is tested as it is shipped.

pub(crate) mod disposition;
pub(crate) mod event;
pub(crate) mod hybrid_clock;
pub(crate) mod projection;
pub(crate) mod receipt;
pub(crate) mod snapshot;
pub(crate) mod storage;
pub(crate) mod stream_kind;
