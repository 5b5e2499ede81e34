//! Errors of the library.

use longshore_core::{Effect, NameError, StoreError};

/// Why a message was not enqueued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// A kind, group or dedup key is not valid. Nothing was stored.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The job could not be written as JSON. Nothing was stored.
    #[error("the job could not be written as JSON: {0}; check how its type is serialised")]
    Encode(#[source] serde_json::Error),
    /// The store refused it or could not be asked; [`Self::effect`] tells which.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EnqueueError {
    /// Whether the message may have been stored all the same.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Name(_) | Self::Encode(_) => Effect::NotApplied,
            Self::Store(error) => error.effect(),
        }
    }
}
