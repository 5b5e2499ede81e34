//! The time of this store.

use std::sync::Weak;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_core::{Clock, StepListener, Timestamp};

/// The clock of the host: SQLite has no other, and all processes of a file share one host.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where this store reads the clock of the host"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn on_step(&self, _listener: Weak<dyn StepListener>) {}
}
