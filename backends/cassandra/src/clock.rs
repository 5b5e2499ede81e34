//! The time of this host, where no clock is injected.

use std::sync::Weak;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_core::{Clock, StepListener, Timestamp};

use crate::ownership::process::Owner;

/// The clock of the host. At opening it is compared with the servers'.
#[derive(Debug)]
pub(crate) struct HostClock;

impl Clock for HostClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where this store reads the time of the host"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    fn on_step(&self, _listener: Weak<dyn StepListener>) {}
}

impl StepListener for Owner {
    fn stepped(&self) {
        self.changed.notify_waiters();
    }
}
