//! From the store to a task: how much is fetched ([`fetch`], [`slots`]), what becomes of each
//! delivery ([`dispatch`]), a suspect that runs alone ([`quarantine`]), and how long to wait after
//! a failed receive ([`backoff`]) or an uncharged release ([`release_backoff`]).
//!
//! Never more is received than there are free slots.

pub(crate) mod backoff;
pub(crate) mod dispatch;
pub(crate) mod fetch;
pub(crate) mod quarantine;
pub(crate) mod release_backoff;
pub(crate) mod slots;
