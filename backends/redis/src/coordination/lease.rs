//! Named leases.

use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::check_lease;
use longshore_core::{LeaseName, LeaseStore, NamedLease, Result, Timestamp};

use crate::connection::call::Call;
use crate::connection::reply::Reply;
use crate::scripts;
use crate::store::RedisStore;

impl RedisStore {
    pub(crate) fn lease_call(
        &self,
        verb: &'static str,
        name: &LeaseName,
        holder: &str,
        epoch: u64,
        ttl: Duration,
    ) -> Call {
        let mut call = Call::new(verb, &scripts::LEASE, self.keys.lease(name).to_vec());
        call.arg(self.time.argument())
            .arg(verb)
            .arg(holder)
            .arg(epoch.to_string())
            .arg(
                u64::try_from(ttl.as_millis())
                    .unwrap_or(u64::MAX)
                    .min(1 << 52),
            );
        call
    }

    async fn named(&self, name: &LeaseName, call: &Call) -> Result<Option<NamedLease>> {
        let reply = self.session.run(call).await?;
        read(name, reply)
    }
}

fn read(name: &LeaseName, reply: Reply) -> Result<Option<NamedLease>> {
    if reply.is_nil() {
        return Ok(None);
    }
    let [holder, epoch, until] = reply.fixed()?;
    Ok(Some(NamedLease {
        name: name.clone(),
        holder: holder.text()?,
        epoch: epoch.count()?,
        until: Timestamp::from_millis(until.number()?),
    }))
}

#[async_trait]
impl LeaseStore for RedisStore {
    async fn acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<NamedLease>> {
        check_lease("acquire", ttl)?;
        let call = self.lease_call("acquire", name, holder, 0, ttl);
        self.named(name, &call).await
    }

    async fn renew(&self, lease: &NamedLease, ttl: Duration) -> Result<Option<NamedLease>> {
        check_lease("renew", ttl)?;
        let call = self.lease_call("renew", &lease.name, &lease.holder, lease.epoch, ttl);
        self.named(&lease.name, &call).await
    }

    async fn release(&self, lease: &NamedLease) -> Result<()> {
        let zero = Duration::ZERO;
        let call = self.lease_call("release", &lease.name, &lease.holder, lease.epoch, zero);
        self.session.run(&call).await.map(drop)
    }

    async fn current(&self, name: &LeaseName) -> Result<Option<NamedLease>> {
        let call = self.lease_call("current", name, "", 0, Duration::ZERO);
        self.named(name, &call).await
    }
}
