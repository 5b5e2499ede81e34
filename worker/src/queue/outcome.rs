//! What became of the messages of a batch.

use std::sync::Arc;

use longshore_core::{MessageId, StoreError};

use super::EnqueuedJob;

/// What became of one message of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ItemOutcome {
    /// It is stored and will be delivered.
    Stored,
    /// Its id or dedup key is known already; nothing was stored.
    Duplicate {
        /// The message that came first.
        first: MessageId,
    },
    /// It was refused, or what became of it is unknown; the error's effect tells which.
    Failed(Arc<StoreError>),
    /// The store was not asked, because it was away, or full, for a message before this one.
    NotTried,
}

/// One message of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchItem {
    /// Its id.
    pub id: MessageId,
    /// What became of it.
    pub outcome: ItemOutcome,
}

/// What became of a batch, message by message in the order they were given.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// The messages.
    pub items: Vec<BatchItem>,
}

/// Not every message of a batch is stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "{missing} of {total} messages are not stored: {cause}; the outcome of each tells which to send again"
)]
#[non_exhaustive]
pub struct BatchError {
    /// How many are not stored for sure.
    pub missing: usize,
    /// How many there were.
    pub total: usize,
    /// The first error.
    pub cause: Arc<StoreError>,
    /// All outcomes.
    pub outcome: BatchOutcome,
}

impl BatchOutcome {
    /// How many were stored by this call.
    pub fn stored(&self) -> usize {
        self.count(|outcome| matches!(outcome, ItemOutcome::Stored))
    }

    /// How many were known already.
    pub fn duplicates(&self) -> usize {
        self.count(|outcome| matches!(outcome, ItemOutcome::Duplicate { .. }))
    }

    /// How many failed or were not tried.
    pub fn missing(&self) -> usize {
        self.items.len() - self.stored() - self.duplicates()
    }

    /// The first error.
    pub fn first_error(&self) -> Option<&Arc<StoreError>> {
        self.items.iter().find_map(|item| match &item.outcome {
            ItemOutcome::Failed(error) => Some(error),
            _ => None,
        })
    }

    /// The ids of the stored messages, or an error if a single one is missing.
    pub fn require_all(self) -> Result<Vec<EnqueuedJob>, Box<BatchError>> {
        if let Some(cause) = self.first_error().cloned() {
            return Err(Box::new(BatchError {
                missing: self.missing(),
                total: self.items.len(),
                cause,
                outcome: self,
            }));
        }
        let stored = self.items.iter().map(|item| match item.outcome {
            ItemOutcome::Duplicate { first } => EnqueuedJob {
                id: first,
                duplicate: true,
            },
            _ => EnqueuedJob {
                id: item.id,
                duplicate: false,
            },
        });
        Ok(stored.collect())
    }

    fn count(&self, wanted: impl Fn(&ItemOutcome) -> bool) -> usize {
        let outcomes = self.items.iter().map(|item| &item.outcome);
        outcomes.filter(|outcome| wanted(outcome)).count()
    }
}
