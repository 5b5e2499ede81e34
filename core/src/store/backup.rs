//! A copy of a store while it is used.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;

use crate::Result;

/// What a store that is one file offers beside its control plane.
#[async_trait]
pub trait Backup: fmt::Debug + Send + Sync + 'static {
    /// Copies the store into a new file: all that was acknowledged when the call began, in one
    /// consistent state. Nobody is held up. Answers the size of the copy in bytes.
    ///
    /// A file that is there is refused. Where the call fails, or its future is dropped, half a copy
    /// is removed.
    async fn backup(&self, to: &Path) -> Result<u64>;
}
