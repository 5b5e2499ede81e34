//! Where a job leaves word for its next attempt.

use bytes::Bytes;
use longshore_core::{Delivery, Failure};

use super::state::{JobState, lock};

/// The checkpoint of a delivery: what an earlier attempt left, and what this one leaves.
///
/// What is set goes to the store with the settle of this delivery when it does not end in an
/// ack. A crash before that keeps the older one.
#[derive(Clone, Copy, Debug)]
pub struct CheckpointSlot<'a> {
    pub(super) state: &'a JobState,
    pub(super) delivery: &'a Delivery,
}

impl CheckpointSlot<'_> {
    /// What was set last, by this attempt or an earlier one; `None` if nothing or cleared.
    pub fn get(self) -> Option<Bytes> {
        let set = lock(&self.state.checkpoint).clone();
        set.or_else(|| self.delivery.checkpoint.clone())
            .filter(|bytes| !bytes.is_empty())
    }

    /// Leaves `bytes` for the next attempt. More than 64 KiB is refused.
    pub fn set(self, bytes: impl Into<Bytes>) -> Result<(), Failure> {
        let bytes = bytes.into();
        if bytes.len() > Delivery::CHECKPOINT_BYTES_MAX {
            return Err(Failure::permanent(format!(
                "the checkpoint has {} bytes, at most {} are kept; store the data elsewhere and keep its name",
                bytes.len(),
                Delivery::CHECKPOINT_BYTES_MAX
            )));
        }
        *lock(&self.state.checkpoint) = Some(bytes);
        Ok(())
    }

    /// Forgets the checkpoint: the next attempt starts again.
    pub fn clear(self) {
        *lock(&self.state.checkpoint) = Some(Bytes::new());
    }
}
