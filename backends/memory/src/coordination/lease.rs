//! Named leases.

use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::check_lease;
use longshore_core::{LeaseName, LeaseStore, NamedLease, Result};

use crate::schema::HeldLease;
use crate::store::MemoryStore;

#[async_trait]
impl LeaseStore for MemoryStore {
    async fn acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<NamedLease>> {
        check_lease("acquire", ttl)?;
        let (mut data, now) = self.lock();
        let before = data.leases.get(name);
        let running = before.filter(|held| !held.released && held.lease.until > now);
        let epoch = match running {
            Some(held) if held.lease.holder != holder => return Ok(None),
            Some(held) => held.lease.epoch,
            None => before.map_or(0, |held| held.lease.epoch) + 1,
        };
        let lease = NamedLease {
            name: name.clone(),
            holder: holder.to_owned(),
            epoch,
            until: now.plus(ttl),
        };
        let held = HeldLease {
            lease: lease.clone(),
            released: false,
        };
        data.leases.insert(name.clone(), held);
        Ok(Some(lease))
    }

    async fn renew(&self, lease: &NamedLease, ttl: Duration) -> Result<Option<NamedLease>> {
        check_lease("renew", ttl)?;
        let (mut data, now) = self.lock();
        Ok(data
            .leases
            .get_mut(&lease.name)
            .filter(|held| held.is_held_by(lease))
            .map(|held| {
                held.lease.until = now.plus(ttl);
                held.lease.clone()
            }))
    }

    async fn release(&self, lease: &NamedLease) -> Result<()> {
        let (mut data, _) = self.lock();
        let held = data.leases.get_mut(&lease.name);
        if let Some(held) = held.filter(|held| held.is_held_by(lease)) {
            held.released = true;
        }
        Ok(())
    }

    async fn current(&self, name: &LeaseName) -> Result<Option<NamedLease>> {
        let (data, now) = self.lock();
        let held = data.leases.get(name);
        let running = held.filter(|held| !held.released && held.lease.until > now);
        Ok(running.map(|held| held.lease.clone()))
    }
}

impl HeldLease {
    /// Whether a lease is still the current one, perhaps past its end.
    pub(crate) fn is_held_by(&self, lease: &NamedLease) -> bool {
        !self.released && self.lease.epoch == lease.epoch && self.lease.holder == lease.holder
    }
}
