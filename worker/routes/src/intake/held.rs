//! The right to feed an intake: a lease that is renewed while work goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_core::{Backend, LeaseName, NamedLease};

use crate::intake::record::Record;
use crate::intake::stop::Stop;
use crate::load::read::shown;

/// A feeder that dies is followed by another one after this long.
pub(super) const LEASE: Duration = Duration::from_secs(10);
/// How long progress is remembered after its last save.
pub(super) const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// A lease in this process's hands.
#[derive(Debug)]
pub(super) struct Held {
    backend: Backend,
    lease: NamedLease,
    renewed: Instant,
}

impl Held {
    /// Takes the lease if nobody else has it.
    pub(super) async fn take(
        backend: &Backend,
        name: &LeaseName,
        holder: &Arc<str>,
    ) -> Result<Option<Self>, Stop> {
        let asked = Instant::now();
        let lease = backend.leases.acquire(name, holder, LEASE).await?;
        Ok(lease.map(|lease| Self {
            backend: backend.clone(),
            lease,
            renewed: asked,
        }))
    }

    /// Renews the lease where a third of it is used up. An end of the feeding if it is lost.
    pub(super) async fn keep(&mut self) -> Result<(), Stop> {
        if self.renewed.elapsed() < LEASE / 3 {
            return Ok(());
        }
        let asked = Instant::now();
        match self.backend.leases.renew(&self.lease, LEASE).await? {
            Some(lease) => {
                self.lease = lease;
                self.renewed = asked;
                Ok(())
            }
            None => Err(Stop::Lost),
        }
    }

    /// What is remembered of a path.
    pub(super) async fn load(&self, key: &str) -> Result<Option<Record>, Stop> {
        load(&self.backend, &self.lease.name, key).await
    }

    /// Remembers, under the lease.
    pub(super) async fn save(&self, key: String, record: &Record) -> Result<(), Stop> {
        self.save_all(vec![(key, record.to_stored())]).await
    }

    pub(super) async fn save_all(&self, entries: Vec<(String, bytes::Bytes)>) -> Result<(), Stop> {
        let saved = self
            .backend
            .progress
            .save(&self.lease, &entries, KEPT)
            .await?;
        if saved { Ok(()) } else { Err(Stop::Lost) }
    }

    /// Gives the lease back, so that the next one need not wait.
    pub(super) async fn give_back(self) {
        if let Err(error) = self.backend.leases.release(&self.lease).await {
            tracing::debug!(lease = %self.lease.name, %error, "the lease could not be given back; it ends by itself");
        }
    }
}

/// Reads what is remembered of a path; nobody needs the lease for that.
pub(super) async fn load(
    backend: &Backend,
    name: &LeaseName,
    key: &str,
) -> Result<Option<Record>, Stop> {
    let Some(bytes) = backend.progress.load(name, key).await? else {
        return Ok(None);
    };
    // To take it for a file never seen would feed it all again.
    Record::from_stored(&bytes).map(Some).map_err(|reason| {
        let text = shown(&String::from_utf8_lossy(&bytes));
        Stop::Failed(
            longshore_core::StoreError::new(
                longshore_core::StoreErrorKind::Corrupt,
                "load",
                format!("the progress {text} cannot be read: {reason}"),
            )
            .with("intake", name),
        )
    })
}
