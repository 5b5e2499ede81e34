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

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> StoreError {
        StoreError::new(StoreErrorKind::Unavailable, "receive", "away")
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_are_spread_over_their_second_half() {
        let mut errors = ReceiveErrors::default();
        for ceiling in [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000] {
            let ceiling = Duration::from_millis(ceiling);
            let pause = errors.failed(&away());
            assert!(
                pause >= ceiling / 2 && pause <= ceiling,
                "{pause:?} of {ceiling:?}"
            );
        }
        errors.succeeded();
        assert!(errors.failed(&away()) <= PAUSE);
    }

    #[test]
    fn a_store_that_names_a_time_is_not_asked_before() {
        let told = Duration::from_secs(30);
        let mut errors = ReceiveErrors::default();
        assert_eq!(errors.failed(&away().retry_after(told)), told);
    }

    #[test]
    fn the_longer_it_lasts_the_more_rarely_it_is_said() {
        let mut errors = ReceiveErrors::default();
        let said = (1..=20).filter(|_| {
            errors.failed(&away());
            errors.is_worth_a_line()
        });
        assert_eq!(said.collect::<Vec<_>>(), [1, 2, 4, 8, 16]);
    }
}
