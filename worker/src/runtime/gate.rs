//! The gate that lets a suspect run alone.
//!
//! A message whose deliveries keep vanishing may be killing the process. Whoever fetches or
//! works holds a shared turn; a suspect takes the only one. So when it kills the process again
//! nobody else's message is charged with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// One for each worker.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    turns: Arc<RwLock<()>>,
    suspects: Arc<AtomicUsize>,
}

/// The right to fetch or to work. Jobs of one batch share it.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    _shared: Arc<OwnedRwLockReadGuard<()>>,
}

/// The right to work with nobody beside.
#[derive(Debug)]
pub(crate) struct Alone {
    _only: OwnedRwLockWriteGuard<()>,
}

/// While it lives fetchers give back what they receive.
#[derive(Debug)]
pub(crate) struct SuspectWaits(Arc<AtomicUsize>);

impl Gate {
    /// Waits for a turn; behind a suspect that waits, too.
    pub(crate) async fn enter(&self) -> Turn {
        Turn {
            _shared: Arc::new(self.turns.clone().read_owned().await),
        }
    }

    /// Waits until every turn has ended.
    pub(crate) async fn alone(&self) -> Alone {
        Alone {
            _only: self.turns.clone().write_owned().await,
        }
    }

    pub(crate) fn announce_suspect(&self) -> SuspectWaits {
        self.suspects.fetch_add(1, Ordering::AcqRel);
        SuspectWaits(self.suspects.clone())
    }

    pub(crate) fn suspect_waits(&self) -> bool {
        self.suspects.load(Ordering::Acquire) > 0
    }
}

impl Drop for SuspectWaits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
