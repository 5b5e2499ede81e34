//! What processes agree on beside messages.
//!
//! **Owns** named leases ([`lease`]), the progress of intakes that is kept under them
//! ([`progress`]), and the list of workers that announced themselves ([`workers`]).
//!
//! **Invariant.** A lease has one holder at a time by the clock of the store, and its epoch grows
//! with each new holder. Progress is stored only under the epoch that holds the lease; both are
//! checked and written behind the one lock of the store.
//!
//! **When a process is killed.** Nothing survives the process, leases included.

pub(crate) mod lease;
pub(crate) mod progress;
pub(crate) mod workers;
