//! Why feeding ends.

use longshore_core::StoreError;

/// Why feeding ends.
#[derive(Debug)]
pub(super) enum Stop {
    /// It was told to.
    Asked,
    /// Another process has the lease.
    Lost,
    /// The store failed.
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}
