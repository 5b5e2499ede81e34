//! Facts on their way to the replicas, while the shard they are about goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_core::Result;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::protocol::storage::Rows;
use crate::shard::write::event_batch::Changes;

/// The writes of a shard that are under way.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    under_way: Arc<RwLock<()>>,
    doubt: Arc<AtomicBool>,
}

/// One write. Memory shows its effect already.
#[derive(Debug)]
pub(crate) struct Flight {
    rows: Arc<dyn Rows>,
    changes: Changes,
    doubt: Arc<AtomicBool>,
    has_landed: bool,
    _under_way: OwnedRwLockReadGuard<()>,
}

impl Flights {
    /// Lets a write begin.
    pub(crate) async fn depart(&self, rows: Arc<dyn Rows>, changes: Changes) -> Flight {
        Flight {
            rows,
            changes,
            doubt: self.doubt.clone(),
            has_landed: false,
            _under_way: self.under_way.clone().read_owned().await,
        }
    }

    /// Waits until none is under way. Whoever keeps others from beginning one may compare memory
    /// with the rows then.
    pub(crate) async fn all_landed(&self) {
        drop(self.under_way.write().await);
    }

    /// Whether one failed: memory may differ from the rows.
    pub(crate) fn in_doubt(&self) -> bool {
        self.doubt.load(Ordering::Acquire)
    }
}

impl Flight {
    /// Writes. If that fails, the memory of the shard is not believed any more.
    pub(crate) async fn land(mut self) -> Result<()> {
        let changes = std::mem::take(&mut self.changes);
        changes.write(&*self.rows).await?;
        self.has_landed = true;
        Ok(())
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // One that was broken off may have reached the replicas as well.
        if !self.has_landed {
            self.doubt.store(true, Ordering::Release);
        }
    }
}
