//! Progress of intakes, under the lease of their feeder.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::validate::check_count;
use longshore_core::{Cursor, LeaseName, NamedLease, Page, ProgressStore, Result, StoreError};
use redis::cmd;

use crate::store::RedisStore;

#[async_trait]
impl ProgressStore for RedisStore {
    async fn load(&self, name: &LeaseName, key: &str) -> Result<Option<Bytes>> {
        let [_, progress] = self.keys.lease(name);
        let mut ask = cmd("HGET");
        ask.arg(progress).arg(key);
        let kept = self.session.command("load", &ask).await?;
        if kept.is_nil() {
            return Ok(None);
        }
        Ok(read(&kept.bytes()?, self.time.now().as_millis()))
    }

    async fn list(
        &self,
        name: &LeaseName,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<(String, Bytes)>> {
        let [_, progress] = self.keys.lease(name);
        let at = after.map_or("0", Cursor::as_str);
        if !at.bytes().all(|byte| byte.is_ascii_digit()) {
            let said = "invalid cursor: not issued by this call; start again without one";
            return Err(StoreError::invalid_input("list", said));
        }
        let mut ask = cmd("HSCAN");
        ask.arg(progress).arg(at).arg("COUNT").arg(max.get());
        let [next, pairs] = self.session.command("list", &ask).await?.fixed()?;
        let (next, now) = (next.text()?, self.time.now().as_millis());
        let mut words = pairs.list()?.into_iter();
        let mut items = Vec::new();
        while let (Some(key), Some(kept)) = (words.next(), words.next()) {
            let value = read(&kept.bytes()?, now);
            items.extend(
                value
                    .map(|value| Ok::<_, StoreError>((key.text()?, value)))
                    .transpose()?,
            );
        }
        Ok(Page {
            items,
            next: (next != "0").then(|| Cursor::new(next)),
        })
    }

    async fn save(
        &self,
        lease: &NamedLease,
        entries: &[(String, Bytes)],
        keep: Duration,
    ) -> Result<bool> {
        check_count("save", entries.len(), &self.limits)?;
        let mut call = self.lease_call("save", &lease.name, &lease.holder, lease.epoch, keep);
        for (key, value) in entries {
            call.arg(key).arg(value.as_ref());
        }
        Ok(!self.session.run(&call).await?.is_nil())
    }
}

/// Reads `until value`.
fn read(kept: &Bytes, now: i64) -> Option<Bytes> {
    let blank = kept.iter().position(|byte| *byte == b' ')?;
    let until: i64 = std::str::from_utf8(&kept[..blank]).ok()?.parse().ok()?;
    (until > now).then(|| kept.slice(blank + 1..))
}
