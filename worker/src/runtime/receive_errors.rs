//! What a failed receive means.

use std::time::Duration;

use longshore_core::{StoreError, StoreErrorKind};

/// The first pause is at most this long, later ones up to twice as long each.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Failures of receive in a row.
#[derive(Debug, Default)]
pub(crate) struct ReceiveErrors {
    in_a_row: u32,
}

impl ReceiveErrors {
    pub(crate) fn succeeded(&mut self) {
        if self.in_a_row > 1 {
            tracing::info!("the store answers again");
        }
        self.in_a_row = 0;
    }

    /// How long to wait before the next try.
    pub(crate) fn failed(&mut self, error: &StoreError) -> Duration {
        let ceiling = PAUSE
            .saturating_mul(1 << self.in_a_row.min(10))
            .min(PAUSE_MAX);
        self.in_a_row = self.in_a_row.saturating_add(1);
        // Half of it is spread, so that workers which failed together come back apart and none
        // comes back at once.
        let pause = ceiling / 2 + (ceiling / 2).mul_f64(fastrand::f64());
        pause.max(error.retry_hint().unwrap_or_default())
    }

    /// Whether this is the moment to say so: the first failure, then ever more rarely.
    pub(crate) fn is_worth_a_line(&self) -> bool {
        self.in_a_row.is_power_of_two()
    }
}

/// Whether waiting cannot mend it.
pub(crate) fn is_final(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        StoreErrorKind::Corrupt
            | StoreErrorKind::Denied
            | StoreErrorKind::InvalidInput
            | StoreErrorKind::Misconfigured
            | StoreErrorKind::Unsupported
    )
}
