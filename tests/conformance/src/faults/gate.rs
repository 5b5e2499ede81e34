//! A gate that holds a call until the test opens it.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Holds one call. Cloning shares the gate.
#[derive(Clone, Debug)]
pub struct Gate {
    reached: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    /// A closed gate.
    pub(super) fn closed() -> Self {
        Self {
            reached: Arc::new(Semaphore::new(0)),
            open: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits until a call stands before the gate.
    pub async fn reached(&self) {
        take(&self.reached).await;
    }

    /// Lets the call go on, or pass without a stop if it comes later.
    pub fn open(&self) {
        self.open.add_permits(1);
    }

    /// What the held call does.
    pub(super) async fn pass(&self) {
        self.reached.add_permits(1);
        take(&self.open).await;
    }
}

/// Takes a permit for good. The semaphores here are never closed.
async fn take(semaphore: &Semaphore) {
    if let Ok(permit) = semaphore.acquire().await {
        permit.forget();
    }
}
