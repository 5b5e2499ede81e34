//! How often the driver sent a statement that may be repeated, and what became of each time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_core::StoreError;
use scylla::errors::{ExecutionError, RequestAttemptError, RequestError};
use scylla::observability::history::{AttemptId, HistoryListener, RequestId, SpeculativeId};
use scylla::policies::retry::RetryDecision;

use crate::error::{failed, was_refused};

/// The attempts of one request. The driver repeats it after some errors, and beside an answer that
/// is late, and tells the last error only: that one may be refused while another one was done.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    begun: AtomicUsize,
    refused: AtomicUsize,
}

impl Attempts {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The error of the call whose request failed, by what became of all its attempts.
    pub(crate) fn failed(&self, operation: &'static str, error: ExecutionError) -> StoreError {
        let error = failed(operation, error);
        if self.in_doubt() {
            error.effect_unknown()
        } else {
            error
        }
    }

    /// Whether some may have had an effect.
    fn in_doubt(&self) -> bool {
        self.begun.load(Ordering::Acquire) > self.refused.load(Ordering::Acquire)
    }
}

impl HistoryListener for Attempts {
    fn log_request_start(&self) -> RequestId {
        RequestId(0)
    }

    fn log_request_success(&self, _: RequestId) {}

    fn log_request_error(&self, _: RequestId, _: &RequestError) {}

    fn log_new_speculative_fiber(&self, _: RequestId) -> SpeculativeId {
        SpeculativeId(0)
    }

    fn log_attempt_start(
        &self,
        _: RequestId,
        _: Option<SpeculativeId>,
        _: SocketAddr,
    ) -> AttemptId {
        AttemptId(self.begun.fetch_add(1, Ordering::AcqRel))
    }

    fn log_attempt_success(&self, _: AttemptId) {}

    fn log_attempt_error(&self, _: AttemptId, error: &RequestAttemptError, _: &RetryDecision) {
        if was_refused(error) {
            self.refused.fetch_add(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_core::{Effect, StoreErrorKind};
    use scylla::errors::DbError;
    use scylla::frame::types::Consistency;

    use super::*;

    fn unavailable() -> RequestAttemptError {
        let error = DbError::Unavailable {
            consistency: Consistency::LocalQuorum,
            required: 2,
            alive: 1,
        };
        RequestAttemptError::DbError(error, String::new())
    }

    fn attempt(attempts: &Attempts, ends: Option<&RequestAttemptError>) {
        let node = SocketAddr::from(([127, 0, 0, 1], 9042));
        let id = attempts.log_attempt_start(RequestId(0), None, node);
        if let Some(error) = ends {
            attempts.log_attempt_error(id, error, &RetryDecision::DontRetry);
        }
    }

    #[test]
    fn a_write_that_was_refused_last_may_be_done_by_the_attempt_before() {
        let refused = Attempts::default();
        attempt(&refused, Some(&unavailable()));
        attempt(&refused, Some(&unavailable()));
        assert!(!refused.in_doubt());
        let server = RequestAttemptError::DbError(DbError::ServerError, String::new());
        for first in [Some(&server), None] {
            let attempts = Attempts::default();
            attempt(&attempts, first);
            attempt(&attempts, Some(&unavailable()));
            assert!(attempts.in_doubt());
            let error = ExecutionError::LastAttemptError(unavailable());
            let error = attempts.failed("enqueue", error);
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            assert_eq!(error.effect(), Effect::Unknown);
        }
    }
}
