//! The phases of a worker's end.

use tokio_util::sync::CancellationToken;

/// Each phase is reached once and never left. A later one implies the earlier ones.
#[derive(Debug, Default)]
pub(crate) struct Phases {
    /// Intakes close; what was not started is released.
    pub(crate) stop: CancellationToken,
    /// The drain budget is used up: running jobs are dropped and released.
    pub(crate) interrupt: CancellationToken,
    /// Exit now: what runs keeps its lease to the end.
    pub(crate) halt: CancellationToken,
}

impl Phases {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub(crate) fn halt(&self) {
        // The last phase first: a task that wakes for an earlier one sees it.
        self.halt.cancel();
        self.interrupt.cancel();
        self.stop.cancel();
    }
}
