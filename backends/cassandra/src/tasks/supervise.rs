//! A task that runs for as long as its store is open, whatever happens to it.

use std::future::Future;
use std::time::Duration;

use tokio::time::sleep;

/// How long a task that panicked stays away: long enough not to fill the log.
const AWAY: Duration = Duration::from_secs(1);

/// Spawns what `begin` makes. It is begun again after a panic, and not after its end.
pub(crate) fn supervise<F>(name: &'static str, mut begin: impl FnMut() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        while let Err(broken) = tokio::spawn(begin()).await {
            if broken.is_cancelled() {
                // The runtime shuts down.
                return;
            }
            tracing::error!(
                error = %broken,
                "the task of a Cassandra store that {name} panicked; it is begun again: report this"
            );
            sleep(AWAY).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_begun_again_until_it_ends() {
        let (begun, done) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let (counter, ended) = (begun.clone(), done.clone());
        supervise("is tried", move || {
            let (counter, ended) = (counter.clone(), ended.clone());
            async move {
                let before = counter.fetch_add(1, Ordering::Relaxed);
                assert!(before >= 2, "it is meant to panic twice");
                ended.notify_one();
            }
        });
        done.notified().await;
        sleep(AWAY * 3).await;
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }
}
