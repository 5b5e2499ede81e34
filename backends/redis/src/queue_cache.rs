//! What this handle remembers of queues.

use std::time::Instant;

use longshore_core::QueueSettings;

/// What this handle knows of a queue.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) settings: QueueSettings,
    pub(crate) read_at: Instant,
    pub(crate) registered: bool,
}
