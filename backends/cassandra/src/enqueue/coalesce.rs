//! Enqueues of many callers that go to one bucket, joined into few writes.

use std::sync::Arc;

use longshore_core::{Effect, Result, StoreError, StoreErrorKind};

use crate::producer::write_queue::{Part, Place};
use crate::protocol::storage::MessageRow;
use crate::store::Inner;

/// A call with so many rows has no use for company.
const ALONE: usize = 50;

impl Inner {
    /// Stores messages of one place; those of several callers together, where they come while
    /// others are being written. None waits for company.
    pub(crate) async fn store_coalesced(
        self: &Arc<Self>,
        place: Place,
        rows: Vec<MessageRow>,
    ) -> Result<()> {
        if rows.len() >= ALONE {
            return self.store_now(place, rows).await;
        }
        let rows = match self.write_queue.join(place, rows) {
            Ok(answered) => return answered.await.unwrap_or_else(|_| Err(ended())),
            Err(rows) => rows,
        };
        let done = self.store_now(place, rows).await;
        let next = self.write_queue.next(place);
        if !next.is_empty() {
            let inner = self.clone();
            tokio::spawn(async move { inner.store_waiting(place, next).await });
        }
        done
    }

    /// Stores what others brought meanwhile, until nobody waits.
    async fn store_waiting(self: Arc<Self>, place: Place, mut parts: Vec<Part>) {
        while !parts.is_empty() {
            let mut rows = Vec::new();
            let mut answers = Vec::with_capacity(parts.len());
            for part in parts {
                rows.extend(part.rows);
                answers.push(part.answer);
            }
            let done = self.store_now(place, rows).await;
            for answer in answers {
                // A caller that does not wait any more knows that it does not know.
                let _ = answer.send(done.as_ref().copied().map_err(same));
            }
            parts = self.write_queue.next(place);
        }
    }
}

/// An error for one more of those it hit.
fn same(error: &StoreError) -> StoreError {
    let copy = StoreError::new(error.kind(), error.operation(), error.message());
    let copy = match error.retry_hint() {
        Some(span) => copy.retry_after(span),
        None => copy,
    };
    match error.effect() {
        Effect::Unknown => copy.effect_unknown(),
        Effect::NotApplied => copy,
    }
}

fn ended() -> StoreError {
    let words = "the runtime of this program is shutting down";
    StoreError::new(StoreErrorKind::Unexpected, "enqueue", words).effect_unknown()
}
