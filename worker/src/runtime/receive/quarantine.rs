//! The gate that lets a suspect run alone.
//!
//! A message whose deliveries keep vanishing may be killing the process. A task that fetches or
//! works holds a shared turn; a suspect takes the only one. So when it kills the process again
//! nobody else's message is charged with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Notify, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// One for each worker.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    turns: Arc<RwLock<()>>,
    suspects: Arc<Suspects>,
}

/// The suspects that wait to run alone.
#[derive(Debug, Default)]
struct Suspects {
    waiting: AtomicUsize,
    /// One came, or the last one got its turn.
    changed: Notify,
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

/// While it lives nothing is fetched, and what was not started makes way.
#[derive(Debug)]
pub(crate) struct SuspectWaits(Arc<Suspects>);

impl Gate {
    /// Waits for a turn, behind every suspect that waits.
    pub(crate) async fn enter(&self) -> Turn {
        self.suspects.until(false).await;
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
        self.suspects.waiting.fetch_add(1, Ordering::AcqRel);
        self.suspects.changed.notify_waiters();
        SuspectWaits(self.suspects.clone())
    }

    pub(crate) fn suspect_waits(&self) -> bool {
        self.suspects.any()
    }

    /// Waits until a suspect waits.
    pub(crate) async fn suspect_announced(&self) {
        self.suspects.until(true).await;
    }
}

impl Suspects {
    fn any(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    async fn until(&self, any: bool) {
        loop {
            let changed = self.changed.notified();
            if self.any() == any {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for SuspectWaits {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_enters_while_a_suspect_waits() {
        let gate = Gate::default();
        let turn = gate.enter().await;
        assert!(!gate.suspect_waits());
        let waits = gate.announce_suspect();
        assert!(gate.suspect_waits());
        gate.suspect_announced().await;
        let entered = gate.enter();
        tokio::pin!(entered);
        assert!(futures_util::poll!(&mut entered).is_pending());
        drop(turn);
        let alone = gate.alone().await;
        drop(waits);
        assert!(!gate.suspect_waits());
        assert!(
            futures_util::poll!(&mut entered).is_pending(),
            "one runs alone"
        );
        drop(alone);
        entered.await;
    }
}
