//! A clock that another process would have.

use std::sync::{Arc, Weak};

use longshore_core::{Clock, ManualClock, StepListener, Timestamp};

/// The same time by another clock: handles with different clocks share nothing but the server,
/// as two processes do.
#[derive(Debug)]
pub(crate) struct SameTime(pub(crate) Arc<ManualClock>);

impl Clock for SameTime {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn on_step(&self, listener: Weak<dyn StepListener>) {
        self.0.on_step(listener);
    }
}
