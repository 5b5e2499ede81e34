//! The lease a job works under.

use longshore_core::{Failure, Receipt, Timestamp};

use super::FromJob;
use crate::JobContext;

/// The lease of this delivery. The worker extends it while the handler runs.
///
/// A lease is not mutual exclusion: after a long pause of this process another worker may have
/// the message, and both may run for a moment.
#[derive(Clone, Debug)]
pub struct Lease(JobContext);

impl Lease {
    /// When it ends, by the store's clock, as of its last extension.
    pub fn until(&self) -> Timestamp {
        self.0.leased_until()
    }

    /// Whether it is known to be lost.
    pub fn is_lost(&self) -> bool {
        self.0.lease_lost()
    }

    /// Waits until it is lost or the job must end for another reason.
    pub async fn ended(&self) {
        self.0.cancel.cancelled().await;
    }

    /// Proves this delivery to the store; new for every delivery.
    pub fn receipt(&self) -> &Receipt {
        &self.0.delivery.receipt
    }
}

impl<S> FromJob<S> for Lease {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(Self(job.clone()))
    }
}
