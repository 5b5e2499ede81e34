//! How far an intake has come.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Cursor, LeaseName, NamedLease, Page, Result};

/// Small values under a named lease: the progress of an intake, written only by the process that
/// holds the lease and read by the process that takes it over.
#[async_trait]
pub trait ProgressStore: fmt::Debug + Send + Sync + 'static {
    /// The value of a key; `None` if it was never set or ran out.
    async fn load(&self, name: &LeaseName, key: &str) -> Result<Option<Bytes>>;

    /// Keys and values that have not run out, in no order, about `max` at a time. What is set
    /// meanwhile may be missing or come twice; what is not comes at least once. A page may be empty
    /// and not the last.
    async fn list(
        &self,
        name: &LeaseName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<(String, Bytes)>>;

    /// Sets values of keys that are not empty, each kept for `keep` from now, all in one step.
    /// Answers whether it was done: not if the lease's epoch is no longer the current one.
    async fn save(
        &self,
        lease: &NamedLease,
        entries: &[(String, Bytes)],
        keep: Duration,
    ) -> Result<bool>;
}
