//! Events on their way to the replicas, while the shard they are about goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_core::Result;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::protocol::storage::Storage;
use crate::shard::write::event_batch::EventBatch;

/// The writes of a shard that are under way.
#[derive(Debug, Default)]
pub(crate) struct InFlightWrites {
    under_way: Arc<RwLock<()>>,
    doubt: Arc<AtomicBool>,
}

/// One write. Memory shows its effect already.
#[derive(Debug)]
pub(crate) struct InFlightWrite {
    storage: Arc<dyn Storage>,
    changes: EventBatch,
    doubt: Arc<AtomicBool>,
    has_completed: bool,
    _under_way: OwnedRwLockReadGuard<()>,
}

impl InFlightWrites {
    /// Lets a write begin.
    pub(crate) async fn begin_write(
        &self,
        storage: Arc<dyn Storage>,
        changes: EventBatch,
    ) -> InFlightWrite {
        InFlightWrite {
            storage,
            changes,
            doubt: self.doubt.clone(),
            has_completed: false,
            _under_way: self.under_way.clone().read_owned().await,
        }
    }

    /// Waits until none is under way. A caller that keeps others from beginning one may compare
    /// memory with the rows then.
    pub(crate) async fn all_completed(&self) {
        drop(self.under_way.write().await);
    }

    /// Whether one failed: memory may differ from the rows.
    pub(crate) fn in_doubt(&self) -> bool {
        self.doubt.load(Ordering::Acquire)
    }
}

impl InFlightWrite {
    /// Writes. If that fails, the memory of the shard is not believed any more.
    pub(crate) async fn complete(mut self) -> Result<()> {
        let changes = std::mem::take(&mut self.changes);
        changes.write(&*self.storage).await?;
        self.has_completed = true;
        Ok(())
    }
}

impl Drop for InFlightWrite {
    fn drop(&mut self) {
        // One that was broken off may have reached the replicas as well.
        if !self.has_completed {
            self.doubt.store(true, Ordering::Release);
        }
    }
}
