//! The clock of this host.

use std::sync::Weak;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_core::{Clock, StepListener, Timestamp};

/// The wall clock of this host. It stamps attempt records and measures how long messages
/// waited; due times and leases are compared with the store's clock, never with this one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place of the library that reads the wall clock"
        )]
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    fn on_step(&self, _listener: Weak<dyn StepListener>) {}
}
