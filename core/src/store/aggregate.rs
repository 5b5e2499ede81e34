//! The store of aggregates.

use std::fmt;

/// Parts collected under a correlation key. No store offers it yet: [`crate::Backend::aggregates`]
/// is `None` and asking for it is `Unsupported`.
pub trait AggregateStore: fmt::Debug + Send + Sync + 'static {}
