//! The task behind an open store that gives signs of life and listens to the doorbells.

use std::sync::{Arc, Weak};
use std::time::Duration;

use longshore_core::Result;
use tokio::time::sleep;

use crate::store::Inner;
use crate::tasks::supervise::supervise;

/// How often doorbells are read while there is work.
const BUSY: Duration = Duration::from_millis(20);

/// For so long after something was handed out there is work.
const BUSY_FOR: Duration = Duration::from_secs(2);

/// After so long without a receive stripes are given up.
const IDLE_AFTER: Duration = Duration::from_secs(5);

/// Starts the task. It ends with the store.
pub(crate) fn start(inner: &Arc<Inner>, poll: Duration) {
    let inner = Arc::downgrade(inner);
    supervise("gives signs of life", move || watch(inner.clone(), poll));
}

async fn watch(inner: Weak<Inner>, poll: Duration) {
    let mut pause = poll;
    loop {
        sleep(pause).await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        match look(&inner).await {
            Ok(true) => pause = BUSY.min(poll),
            Ok(false) => pause = poll,
            Err(error) => {
                tracing::debug!(%error, "a look at the stripes of this process failed");
                pause = poll;
            }
        }
    }
}

/// One look. Answers whether there is work.
async fn look(inner: &Arc<Inner>) -> Result<bool> {
    let owner = &inner.owner;
    let mine: Vec<_> = owner.held_now().iter().map(|it| it.number).collect();
    if mine.is_empty() {
        return Ok(false);
    }
    owner.keep_alive().await?;
    owner.listen(&mine).await?;
    let idle = inner.consumer_session.idle_for();
    if idle.is_some_and(|idle| idle > IDLE_AFTER) {
        owner.give_up_all().await?;
        return Ok(false);
    }
    Ok(owner.quiet_for() < BUSY_FOR)
}
