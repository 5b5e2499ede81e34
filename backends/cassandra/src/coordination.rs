//! What processes agree on beside messages.
//!
//! **Owns** named leases ([`lease`]), the progress of intakes that is kept under them
//! ([`progress`]), and the list of workers that announced themselves ([`workers`]).
//!
//! **Invariant.** A lease has one holder at a time by the clock of the store, and its epoch grows
//! with each new holder. Progress is stored only under the epoch that holds the lease; both are
//! checked and written by one lightweight transaction on the partition of the lease.
//!
//! **When a process is killed.** A transaction of unknown outcome is read back serially. A lease of
//! a dead process ends by its time.

pub(crate) mod lease;
pub(crate) mod progress;
pub(crate) mod workers;
