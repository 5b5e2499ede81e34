//! What processes agree on beside messages.

pub(in crate::cases) mod leases;
pub(super) mod progress;
pub(super) mod workers;
