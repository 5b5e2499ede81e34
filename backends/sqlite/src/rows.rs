//! Rows inside a transaction: what steers a message, and how it changes.
//!
//! **Owns** the row of a message without its bytes ([`message`]), the row of a queue with its
//! numbers ([`queue`]), what lies beside some messages ([`detail`]), who of a group is admitted
//! ([`group`]), and the numbers of states and flags ([`state`]).
//!
//! **Invariant.** What changes the state of a row changes the numbers of its queue in the same
//! transaction: through [`message`], or where one statement does both steps of a plain message. At most one member of a group is ready, leased or in
//! back-off. What a row is updated to has the same length, so updates stay in place.
//!
//! **When a process is killed.** The transaction around it is there as a whole or not.
//!
//! **Who writes.** The calls at the root, inside a transaction of [`crate::database`].

pub(crate) mod detail;
pub(crate) mod group;
pub(crate) mod message;
pub(crate) mod queue;
pub(crate) mod state;
