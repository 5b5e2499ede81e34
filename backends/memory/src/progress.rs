//! Progress of intakes.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::validate::check_count;
use longshore_core::{LeaseName, NamedLease, ProgressStore, QueueStore, Result};

use crate::store::MemoryStore;

#[async_trait]
impl ProgressStore for MemoryStore {
    async fn load(&self, name: &LeaseName, key: &str) -> Result<Option<Bytes>> {
        let (data, now) = self.lock();
        let value = data.progress.get(&(name.clone(), key.to_owned()));
        Ok(value
            .filter(|(_, until)| *until > now)
            .map(|(bytes, _)| bytes.clone()))
    }

    async fn save(
        &self,
        lease: &NamedLease,
        entries: &[(String, Bytes)],
        keep: Duration,
    ) -> Result<bool> {
        check_count("save", entries.len(), &self.limits())?;
        let (mut data, now) = self.lock();
        let held = data.leases.get(&lease.name);
        if !held.is_some_and(|held| held.is_held_by(lease)) {
            return Ok(false);
        }
        data.progress.retain(|_, (_, until)| *until > now);
        for (key, value) in entries {
            let key = (lease.name.clone(), key.clone());
            data.progress.insert(key, (value.clone(), now.plus(keep)));
        }
        Ok(true)
    }
}
