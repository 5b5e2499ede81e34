//! Calls that are tried again.
//!
//! Stores never retry. This layer does, a few times, where the error says that it makes sense
//! and never past the caller's deadline.

use std::time::Duration;

use longshore_core::{Effect, Enqueued, NewMessage, Result, StoreError, StoreErrorKind};
use tokio::time::Instant;
use tracing::Instrument;

use super::Queue;
use crate::{measure, spans};

/// A call is made at most this often.
const TRIES_MAX: u32 = 3;
/// The first pause is at most this long, the next twice as long.
const PAUSE: Duration = Duration::from_millis(50);

/// When a request must have ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(span: Duration) -> Self {
        // A span beyond what the clock can hold is as good as a year.
        let year = Duration::from_secs(365 * 24 * 3600);
        Self(Instant::now() + span.min(year))
    }

    /// How long to wait before try `next` (from 2), or `None` if there is no point in it.
    fn pause_before(self, next: u32, error: &StoreError) -> Option<Duration> {
        if next > TRIES_MAX || !error.is_retryable() {
            return None;
        }
        // Full jitter: callers that failed together do not come back together.
        let spread = PAUSE
            .saturating_mul(1 << (next - 2))
            .mul_f64(fastrand::f64());
        let pause = spread.max(error.retry_hint().unwrap_or_default());
        (Instant::now() + pause < self.0).then_some(pause)
    }
}

impl Queue {
    /// Stores one batch within the store's limits. Repeating it is safe even after an unknown
    /// effect, since the messages keep their ids.
    pub(super) async fn store_batch(
        &self,
        batch: &[NewMessage],
        deadline: Deadline,
    ) -> Result<Vec<Enqueued>> {
        for message in batch {
            message.check_times().map_err(|wrong| {
                StoreError::invalid_input("enqueue", wrong).with("id", message.id)
            })?;
        }
        let store = &self.connection.backend().queues;
        let mut maybe_applied = false;
        let mut before: Option<StoreError> = None;
        let mut next = 2;
        loop {
            let call = store.enqueue(&self.name, batch);
            let call = call.instrument(spans::send(&self.name, batch.len()));
            let answer = measure::store_call(self.connection.url(), "enqueue", async {
                tokio::time::timeout_at(deadline.0, call)
                    .await
                    .unwrap_or_else(|_| Err(out_of_time()))
            });
            let error = match answer.await {
                Ok(outcomes) => {
                    measure::enqueued(&self.name, &outcomes);
                    return Ok(outcomes);
                }
                Err(error) => error,
            };
            maybe_applied |= error.effect() == Effect::Unknown;
            // What an earlier try was told says more than that there was no time for this one.
            let is_late = error.kind() == StoreErrorKind::Timeout && Instant::now() >= deadline.0;
            let error = before.take().filter(|_| is_late).unwrap_or(error);
            // A full queue may still take a part of it: the caller halves it at once.
            let is_too_many = error.kind() == StoreErrorKind::Overloaded && batch.len() > 1;
            let pause = deadline.pause_before(next, &error);
            let Some(pause) = pause.filter(|_| !is_too_many) else {
                // An earlier try may have had an effect that this answer knows nothing of.
                return Err(if maybe_applied {
                    error.effect_unknown()
                } else {
                    error
                });
            };
            before = Some(error);
            tokio::time::sleep(pause).await;
            next += 1;
        }
    }
}

fn out_of_time() -> StoreError {
    StoreError::new(
        StoreErrorKind::Timeout,
        "enqueue",
        "the caller's deadline passed before the store answered",
    )
    .effect_unknown()
}
