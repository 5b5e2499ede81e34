//! Progress of intakes.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::validate::check_count;
use longshore_core::{Cursor, LeaseName, NamedLease, Page, ProgressStore, QueueStore, Result};

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

    async fn list(
        &self,
        name: &LeaseName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<(String, Bytes)>> {
        let after = after.map_or("", Cursor::as_str).to_owned();
        let (data, now) = self.lock();
        let of_name = data.progress.range((name.clone(), after.clone())..);
        let mut of_name = of_name
            .take_while(|((of, _), _)| of == name)
            .filter(|((_, key), (_, until))| *key > after && *until > now)
            .map(|((_, key), (value, _))| (key.clone(), value.clone()));
        let items: Vec<_> = of_name.by_ref().take(max.get() as usize).collect();
        let more = of_name.next().is_some();
        let last = items.last().filter(|_| more);
        let next = last.map(|(key, _)| Cursor::new(key.clone()));
        Ok(Page { items, next })
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
