//! Which process hands out what: ownership of stripes, and how stripes change hands.
//!
//! **Owns** the identity of this process and its sign of life ([`process`], [`heartbeat`]), what it
//! knows of the others ([`failure_detector`]), its stripes with the shards in memory ([`stripe`]),
//! and the decisions to take and to give ([`acquire`], [`release`], [`rebalance`], by [`demand`]
//! and [`consumer_session`]). [`doorbell`] holds the hints that other processes left for it.
//!
//! **Invariant.** Ownership is advice. It saves work and keeps order, and no message is lost because
//! of it: two processes that both believe they own a stripe record events
//! that any reader puts in one order. Where a lease would be handed out inside another one, the
//! process that stood still looks at the row of the stripe before it answers.
//!
//! **When a process is killed.** Its row in `member` stops moving. Six seconds later another
//! process declares it dead by a lightweight transaction and takes its stripes, one by one. A
//! process that was declared dead while it stood still goes on under a new process id and with
//! nothing in memory. Killed after it gave a stripe up, it leaves the stripe to anybody that asks.
//!
//! **Who writes.** Only this folder writes `stripe_owner` and `member`, by lightweight
//! transactions. Times of different hosts are never compared: a process watches whether the
//! number in another one's row moves.

pub(crate) mod acquire;
pub(crate) mod consumer_session;
pub(crate) mod demand;
pub(crate) mod doorbell;
pub(crate) mod failure_detector;
pub(crate) mod heartbeat;
pub(crate) mod prefetch;
pub(crate) mod process;
pub(crate) mod rebalance;
pub(crate) mod release;
pub(crate) mod stripe;
