//! A moment by both clocks: due times go by the wall clock, leases by one that never steps.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Clock, Timestamp};

use crate::clock::boot::Boot;

/// One moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// By the wall clock: due times, expiry, windows, what people read.
    pub(crate) wall: Timestamp,
    /// By the clock of the leases: ends of leases, and of what workers said of themselves.
    pub(crate) lease: Timestamp,
}

impl Moment {
    /// The wall clock at the end of a lease, if neither steps until then.
    pub(crate) fn by_wall(self, lease_end: Timestamp) -> Timestamp {
        let ahead = self.wall.as_millis() - self.lease.as_millis();
        Timestamp::from_millis(lease_end.as_millis().saturating_add(ahead))
    }

    /// The end of a lease that begins now.
    pub(crate) fn lease_for(self, span: Duration) -> Timestamp {
        self.lease.plus(span)
    }
}

/// The clocks of an open file.
#[derive(Clone, Debug)]
pub(crate) struct Clocks {
    wall: Arc<dyn Clock>,
    boot: Option<Boot>,
}

impl Clocks {
    /// A wall clock, and which boot it belongs to; without one leases go by the wall clock.
    pub(crate) fn new(wall: Arc<dyn Clock>, boot: Option<Boot>) -> Self {
        Self { wall, boot }
    }

    /// The moment that is now.
    pub(crate) fn now(&self) -> Moment {
        let wall = self.wall.now();
        let lease = self
            .boot
            .as_ref()
            .and_then(|boot| boot.lease_time(&*self.wall));
        Moment {
            wall,
            lease: lease.unwrap_or(wall),
        }
    }

    /// The boot that leases go by.
    pub(crate) fn boot(&self) -> Option<&Boot> {
        self.boot.as_ref()
    }

    /// The wall clock alone.
    pub(crate) fn wall(&self) -> &Arc<dyn Clock> {
        &self.wall
    }
}
