//! Storing what was read.

use std::time::{Duration, Instant};

use longshore_core::{Enqueued, MessageId, NewMessage, StoreErrorKind};
use tracing::Instrument;

use crate::intake::feeding::Feeding;
use crate::intake::held::Held;
use crate::intake::stop::Stop;
use longshore::spans;

const PAUSE_LEAST: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A full queue is emptied by routes of this process, so it is asked again soon.
const FULL_PAUSE_MAX: Duration = Duration::from_millis(250);
const WARNED_EACH: Duration = Duration::from_secs(30);

impl Feeding {
    /// Stores messages, however long it takes: while the store is away or the queue is full it
    /// waits and tries again. Answers the ids that the store refuses for their size.
    pub(super) async fn store(
        &self,
        held: &mut Held,
        messages: &[NewMessage],
    ) -> Result<Vec<MessageId>, Stop> {
        let most = (self.connection.backend().queues.limits().batch_max.get() as usize).max(1);
        let mut size = most.min(messages.len());
        let mut refused = Vec::new();
        let mut rest = messages;
        let mut trouble = Trouble::default();
        while !rest.is_empty() {
            held.keep().await?;
            if self.stop.is_cancelled() {
                return Err(Stop::Asked);
            }
            let part = &rest[..size.min(rest.len())];
            let store = &self.connection.backend().queues;
            let call = store.enqueue(&self.route.queue, part);
            let span = spans::send(&self.route.queue, part.len());
            match call.instrument(span).await {
                Ok(outcomes) => {
                    let stored = outcomes.iter().filter(|one| **one == Enqueued::Stored);
                    self.status.add_fed(stored.count() as u64);
                    rest = &rest[part.len()..];
                    size = (size * 2).min(most);
                    trouble.end();
                }
                Err(error) if error.kind() == StoreErrorKind::TooLarge => {
                    if let [one] = part {
                        refused.push(one.id);
                        rest = &rest[1..];
                    }
                    size = (size / 2).max(1);
                }
                Err(error) if error.is_retryable() => {
                    // A queue that is nearly full takes a small batch before it takes a large one.
                    size = (size / 2).max(1);
                    let full = error.kind() == StoreErrorKind::Overloaded;
                    let wait = trouble.again(if full { FULL_PAUSE_MAX } else { PAUSE_MAX });
                    if trouble.shall_warn() {
                        tracing::warn!(route = %self.route.name, queue = %self.route.queue, %error, "the intake waits until the store takes more");
                    }
                    self.rest_for(wait).await;
                }
                Err(error) => return Err(Stop::Failed(error)),
            }
        }
        Ok(refused)
    }

    /// Waits, unless it is told to stop.
    pub(super) async fn rest_for(&self, span: Duration) {
        tokio::select! {
            () = tokio::time::sleep(span) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// Failures in a row.
#[derive(Default)]
struct Trouble {
    in_a_row: u32,
    warned: Option<Instant>,
}

impl Trouble {
    fn again(&mut self, pause_max: Duration) -> Duration {
        self.in_a_row += 1;
        let pause = PAUSE_LEAST.saturating_mul(1 << self.in_a_row.min(8));
        pause.min(pause_max)
    }

    fn shall_warn(&mut self) -> bool {
        let due = self.warned.is_none_or(|at| at.elapsed() >= WARNED_EACH);
        // A short refusal is the usual back-pressure and no news.
        let warn = self.in_a_row > 3 && due;
        if warn {
            self.warned = Some(Instant::now());
        }
        warn
    }

    fn end(&mut self) {
        self.in_a_row = 0;
    }
}
