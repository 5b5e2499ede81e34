//! The time of this host, where no clock is injected, and the bell that time and changes ring.

use std::sync::Weak;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_core::{Clock, StepListener, Timestamp};
use tokio::sync::Notify;

/// The clock of the host.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
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

/// Wakes every receive that waits: something changed, or the clock was moved by hand.
#[derive(Debug, Default)]
pub(crate) struct Bell(pub(crate) Notify);

impl StepListener for Bell {
    fn stepped(&self) {
        self.0.notify_waiters();
    }
}
