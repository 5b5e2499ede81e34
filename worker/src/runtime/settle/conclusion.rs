//! How a delivery ends, and what that means besides.

use bytes::Bytes;
use longshore_core::{Disposition, Due};

use crate::hooks::{DeadEvent, RetryEvent};

/// What a settlement means for counts, hooks and logs.
#[derive(Debug)]
pub(crate) enum Fate {
    Acked,
    Retried(Box<RetryEvent>),
    Dead(Box<DeadEvent>),
    Released,
    /// Released because no handler takes its kind.
    Unserved,
}

/// A settle and what to tell once it is applied.
#[derive(Debug)]
pub(crate) struct Conclusion {
    pub(crate) disposition: Disposition,
    pub(crate) fate: Fate,
}

impl Conclusion {
    pub(crate) fn release(due: Option<Due>, checkpoint: Option<Bytes>) -> Self {
        Self {
            disposition: Disposition::Release { due, checkpoint },
            fate: Fate::Released,
        }
    }
}
