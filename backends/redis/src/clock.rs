//! The time of the store: the server's clock, or an injected one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use longshore_core::{Clock, Timestamp};

/// This machine's clock, since 1970. Nothing that is stored goes by it: `doctor` compares it with
/// the server's.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this store reads the clock of the host"
)]
pub(crate) fn this_machine() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default()
}

/// Tells the time that the scripts will see.
#[derive(Debug)]
pub(crate) struct Time {
    injected: Option<Arc<dyn Clock>>,
    /// When this was made, to count from.
    origin: Instant,
    /// The server's time at `origin` in ms, as its answers last told it.
    server_origin: AtomicI64,
}

impl Time {
    pub(crate) fn new(injected: Option<Arc<dyn Clock>>) -> Self {
        Self {
            injected,
            origin: Instant::now(),
            server_origin: AtomicI64::new(0),
        }
    }

    /// What a script gets as `now`: empty lets it ask the server.
    pub(crate) fn argument(&self) -> String {
        match &self.injected {
            Some(clock) => clock.now().as_millis().to_string(),
            None => String::new(),
        }
    }

    /// The server told its time.
    pub(crate) fn observe_time(&self, server_ms: i64) {
        let since = i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.server_origin
            .store(server_ms.saturating_sub(since), Ordering::Relaxed);
    }

    /// The injected time, or the server's to within the time an answer takes.
    pub(crate) fn now(&self) -> Timestamp {
        if let Some(clock) = &self.injected {
            return clock.now();
        }
        let since = i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX);
        let origin = self.server_origin.load(Ordering::Relaxed);
        Timestamp::from_millis(origin.saturating_add(since))
    }

    /// The injected clock, if there is one.
    pub(crate) fn clock(&self) -> Option<&Arc<dyn Clock>> {
        self.injected.as_ref()
    }
}
