//! Named leases.

use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::check_lease;
use longshore_core::{LeaseName, LeaseStore, NamedLease, Result, Timestamp};
use tokio::time::sleep;

use crate::cql::queue_catalog::{contended, is_unsettled};
use crate::store::CassandraStore;

/// How often a transaction that others overtook is tried.
const TRIES: usize = 40;

type Columns = (Option<String>, Option<i64>, Option<i64>);

/// A lease as it lies in its row; an end of 0 is one that was given back.
struct Kept {
    holder: String,
    epoch: i64,
    until_ms: i64,
}

impl Kept {
    fn is_of(&self, lease: &NamedLease) -> bool {
        self.until_ms != 0
            && self.holder == lease.holder
            && u64::try_from(self.epoch) == Ok(lease.epoch)
    }
}

impl CassandraStore {
    /// What is kept; after a transaction of unknown outcome the read is serial, which finishes
    /// it, and tried until it is answered.
    async fn kept(&self, name: &LeaseName, unsettled: bool) -> Result<Option<Kept>> {
        let link = self.link();
        let values = (self.cell(), name.as_str());
        let statement = if unsettled {
            &link.statements.lease_serial
        } else {
            &link.statements.lease
        };
        let mut tries = 0;
        let row = loop {
            let row = link.one::<Columns>("lease", statement, values).await;
            match row {
                Err(error) if is_unsettled(&error) && tries < TRIES => tries += 1,
                row => break row?,
            }
            sleep(Duration::from_millis(fastrand::u64(5..60))).await;
        };
        Ok(row.and_then(|(holder, epoch, until_ms)| {
            Some(Kept {
                holder: holder?,
                epoch: epoch?,
                until_ms: until_ms?,
            })
        }))
    }

    /// Replaces what is kept; `false` if it was not that any more, or if that is not known.
    async fn replace(&self, name: &LeaseName, before: Option<&Kept>, after: &Kept) -> Result<bool> {
        let link = self.link();
        let (holder, epoch, until) = (after.holder.as_str(), after.epoch, after.until_ms);
        let done = match before {
            None => {
                let values = (self.cell(), name.as_str(), holder, epoch, until);
                let statement = &link.statements.first_lease;
                link.transact("lease", statement, values).await
            }
            Some(before) => {
                let values = (
                    holder,
                    epoch,
                    until,
                    self.cell(),
                    name.as_str(),
                    before.epoch,
                    before.until_ms,
                    before.holder.as_str(),
                );
                let statement = &link.statements.next_lease;
                link.transact("lease", statement, values).await
            }
        };
        match done {
            Err(error) if is_unsettled(&error) => Ok(false),
            other => other,
        }
    }
}

fn shown(name: &LeaseName, kept: &Kept) -> NamedLease {
    NamedLease {
        name: name.clone(),
        holder: kept.holder.clone(),
        epoch: u64::try_from(kept.epoch).unwrap_or_default(),
        until: Timestamp::from_millis(kept.until_ms),
    }
}

impl CassandraStore {
    async fn try_acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<NamedLease>> {
        let mut tried = None;
        for attempt in 0..TRIES {
            let now = self.now();
            let before = self.kept(name, attempt > 0).await?;
            let epoch = match &before {
                // The transaction whose answer was lost was applied after all.
                Some(kept)
                    if kept.holder == holder && Some((kept.epoch, kept.until_ms)) == tried =>
                {
                    return Ok(Some(shown(name, kept)));
                }
                Some(kept) if kept.until_ms > now.as_millis() => {
                    if kept.holder != holder {
                        return Ok(None);
                    }
                    kept.epoch
                }
                Some(kept) => kept.epoch + 1,
                None => 1,
            };
            let after = Kept {
                holder: holder.to_owned(),
                epoch,
                until_ms: now.plus(ttl).as_millis(),
            };
            if self.replace(name, before.as_ref(), &after).await? {
                return Ok(Some(shown(name, &after)));
            }
            tried = Some((after.epoch, after.until_ms));
        }
        Err(contended())
    }

    async fn try_renew(&self, lease: &NamedLease, ttl: Duration) -> Result<Option<NamedLease>> {
        for attempt in 0..TRIES {
            let before = self.kept(&lease.name, attempt > 0).await?;
            let Some(before) = before.filter(|kept| kept.is_of(lease)) else {
                return Ok(None);
            };
            let after = Kept {
                holder: before.holder.clone(),
                epoch: before.epoch,
                until_ms: self.now().plus(ttl).as_millis(),
            };
            if self.replace(&lease.name, Some(&before), &after).await? {
                return Ok(Some(shown(&lease.name, &after)));
            }
        }
        Err(contended())
    }

    async fn try_release(&self, lease: &NamedLease) -> Result<()> {
        for attempt in 0..TRIES {
            let before = self.kept(&lease.name, attempt > 0).await?;
            let Some(before) = before.filter(|kept| kept.is_of(lease)) else {
                return Ok(());
            };
            let after = Kept {
                holder: before.holder.clone(),
                epoch: before.epoch,
                until_ms: 0,
            };
            if self.replace(&lease.name, Some(&before), &after).await? {
                return Ok(());
            }
        }
        Err(contended())
    }

    async fn try_current(&self, name: &LeaseName) -> Result<Option<NamedLease>> {
        let now = self.now().as_millis();
        let kept = self.kept(name, false).await?;
        let running = kept.filter(|kept| kept.until_ms > now);
        Ok(running.map(|kept| shown(name, &kept)))
    }
}

#[async_trait]
impl LeaseStore for CassandraStore {
    async fn acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        ttl: Duration,
    ) -> Result<Option<NamedLease>> {
        check_lease("acquire", ttl)?;
        self.within("acquire", self.try_acquire(name, holder, ttl))
            .await
    }

    async fn renew(&self, lease: &NamedLease, ttl: Duration) -> Result<Option<NamedLease>> {
        check_lease("renew", ttl)?;
        self.within("renew", self.try_renew(lease, ttl)).await
    }

    async fn release(&self, lease: &NamedLease) -> Result<()> {
        self.within("release", self.try_release(lease)).await
    }

    async fn current(&self, name: &LeaseName) -> Result<Option<NamedLease>> {
        self.within("current", self.try_current(name)).await
    }
}
