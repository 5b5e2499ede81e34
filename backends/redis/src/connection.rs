//! Speaking to Redis: from the URL to one call with one answer and one deadline.
//!
//! **Owns** making clients ([`dialer`], which meets a server with [`greeting`] first), connections
//! that mend themselves ([`line`], [`sentinel`]), the connections of an open store ([`session`]),
//! calls of scripts ([`call`], [`transaction`]), what an acknowledgement waits for ([`waits`]), and
//! reading answers and refusals ([`reply`], [`acl`], [`server_errors`]).
//!
//! **Invariant.** Each call ends within the `timeout` of the store. An answer is never trusted to
//! have the right shape. An error says whether the call was done, was certainly not done, or may
//! have been. A call is sent again only where nothing has run, since the server did not know the
//! script; the driver for clusters repeats calls by itself, so what goes there tells a repeat.
//!
//! **When a process is killed.** A command that was sent is run by the server or not. A script and
//! a transaction run as a whole, so a killed process leaves no half of one behind.
//!
//! **Who writes.** This folder sends what others put together. It knows no key of a queue.

pub(crate) mod acl;
pub(crate) mod call;
pub(crate) mod dialer;
pub(crate) mod greeting;
pub(crate) mod line;
pub(crate) mod reply;
pub(crate) mod sentinel;
pub(crate) mod server_errors;
pub(crate) mod session;
pub(crate) mod transaction;
pub(crate) mod waits;
