//! What lies where in Redis, and in which form.
//!
//! **Owns** the names of all keys ([`schema`]), the packed form of a row ([`row`]), the text of a
//! position and of a cursor ([`position`]), and the bytes of a receipt ([`receipt`]).
//!
//! **Invariant.** No other folder builds the name of a key or takes the bytes of a row or receipt
//! apart; the scripts do the same by `scripts/lib/*.lua`. All keys of a partition have one hash
//! tag, so on a cluster they lie on one node. The head of a row carries a version, and so does the layout of each
//! partition.
//!
//! **When a process is killed.** Nothing here is stored by itself.
//!
//! **Who writes.** Nobody: reading and writing a form is all that is here.

pub(crate) mod position;
pub(crate) mod receipt;
pub(crate) mod row;
pub(crate) mod schema;
