//! What is checked with the store before the first receive.

use std::time::Duration;

use longshore_core::Result;
use tokio::time::Instant;

use crate::runtime::queue_runtime::QueueRuntime;
use crate::worker::{BuildError, RunError};

/// A store that is slow once may be busy; one that is slow so often in a row is slow.
const MEASURED: usize = 3;

/// Reads the settings of a queue and refuses a lease that cannot be kept: one shorter than three
/// times what extending it takes.
pub(crate) async fn prepare(queue: &QueueRuntime) -> Result<(), RunError> {
    let mut extend = Duration::MAX;
    for _ in 0..MEASURED {
        match measure(queue).await {
            Ok(took) => extend = extend.min(took),
            // A store that is away now may come back: the fetch loop waits for it.
            Err(error) if error.is_retryable() => {
                tracing::warn!(queue = %queue.name, %error, "the store cannot be asked yet");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        if extend <= queue.lease / 3 {
            return Ok(());
        }
    }
    let refused = BuildError::LeaseTooShort {
        queue: queue.name.clone(),
        lease: queue.lease,
        extend,
        least: extend.saturating_mul(3),
    };
    Err(refused.into())
}

async fn measure(queue: &QueueRuntime) -> Result<Duration> {
    let backend = queue.shared.connection.backend();
    let settings = backend.admin.settings(&queue.name).await?;
    queue.group_dead.learn(&settings);
    let started = Instant::now();
    backend.queues.extend(&queue.name, &[], queue.lease).await?;
    Ok(started.elapsed())
}
