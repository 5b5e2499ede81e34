//! Work that outlives the future of its job.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::state::JobState;

/// Says that work of a job goes on that dropping its future does not stop: a blocking thread, a
/// process group.
///
/// While one lives the job's slot stays taken, a grouped message is not settled (its successor
/// must not run beside it), and at shutdown its lease is left to end rather than released.
#[derive(Debug)]
#[must_use = "the work is only held while this lives"]
pub struct Hold(Arc<JobState>);

impl Hold {
    pub(super) fn new(state: Arc<JobState>) -> Self {
        state.holds.fetch_add(1, Ordering::AcqRel);
        Self(state)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.0.holds.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.holds_gone.notify_waiters();
        }
    }
}

impl JobState {
    pub(crate) fn is_held(&self) -> bool {
        self.holds.load(Ordering::Acquire) > 0
    }

    /// Waits until nothing holds the job any more.
    pub(crate) async fn unheld(&self) {
        loop {
            let gone = self.holds_gone.notified();
            if !self.is_held() {
                return;
            }
            gone.await;
        }
    }
}
