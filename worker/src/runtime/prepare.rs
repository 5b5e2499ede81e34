//! What is checked with the store before the first receive.

use tokio::time::Instant;

use super::queue_runtime::QueueRuntime;
use crate::worker::{BuildError, RunError};

/// Reads the settings of a queue and refuses a lease that cannot be kept: one shorter than three
/// times what a call of this store takes.
pub(crate) async fn prepare(queue: &QueueRuntime) -> Result<(), RunError> {
    let backend = queue.shared.connection.backend();
    let started = Instant::now();
    let settings = backend.admin.settings(&queue.name).await;
    let read = started.elapsed();
    let extended = backend.queues.extend(&queue.name, &[], queue.lease).await;
    match settings.and_then(|settings| extended.map(|_| settings)) {
        Ok(settings) => {
            queue.group_dead.learn(&settings);
        }
        // A store that is away now may come back: the fetch loop waits for it.
        Err(error) if error.is_retryable() => {
            tracing::warn!(queue = %queue.name, %error, "the store cannot be asked yet");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    }
    let extend = read.max(started.elapsed().saturating_sub(read));
    let least = extend * 3;
    if queue.lease >= least {
        return Ok(());
    }
    let refused = BuildError::LeaseTooShort {
        queue: queue.name.clone(),
        lease: queue.lease,
        extend,
        least,
    };
    Err(refused.into())
}
