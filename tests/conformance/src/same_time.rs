//! The same time by another clock.

use std::sync::{Arc, Weak};

use longshore_core::{Clock, ManualClock, StepListener, Timestamp};

/// A clock that goes with `clock` and is not the same one. Handles with different clocks share
/// nothing but the data, as two processes do.
pub fn same_time(clock: &Arc<ManualClock>) -> Arc<dyn Clock> {
    Arc::new(SameTime(clock.clone()))
}

#[derive(Debug)]
struct SameTime(Arc<ManualClock>);

impl Clock for SameTime {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn on_step(&self, listener: Weak<dyn StepListener>) {
        self.0.on_step(listener);
    }
}
