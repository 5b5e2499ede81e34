//! Exclusive leases with a growing epoch.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::{LeaseName, Result, Timestamp};

/// A named lease that one holder has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLease {
    /// What is leased.
    pub name: LeaseName,
    /// The holder.
    pub holder: String,
    /// Grows with every change of holder: the fence for other systems.
    pub epoch: u64,
    /// Until when, by the store's clock.
    pub until: Timestamp,
}

/// Named exclusive leases: one feeder per intake, one owner of a duty.
#[async_trait]
pub trait LeaseStore: fmt::Debug + Send + Sync + 'static {
    /// Takes the lease if it is free, ended, or already the caller's (the same holder keeps its
    /// epoch while the lease runs). `None` if another holder has it.
    async fn acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<NamedLease>>;

    /// Makes the lease last until now + `ttl`. `None` once another holder or epoch has it; a
    /// lease that ended but was not taken is renewed.
    async fn renew(&self, lease: &NamedLease, ttl: Duration) -> Result<Option<NamedLease>>;

    /// Gives the lease back. A stale lease is ignored.
    async fn release(&self, lease: &NamedLease) -> Result<()>;

    /// The holder of the lease now; `None` if there is none.
    async fn current(&self, name: &LeaseName) -> Result<Option<NamedLease>>;
}
