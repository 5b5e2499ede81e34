//! The list of workers.

use std::time::Duration;

use longshore_core::{Result, WorkerInfo};

use crate::store::CassandraStore;

impl CassandraStore {
    /// Writes an announcement; one that is over at once takes the worker off the list. The process
    /// that leaves gives its stripes up: others need not wait until it is taken for dead.
    pub(crate) async fn announce_worker(&self, worker: &WorkerInfo, ttl: Duration) -> Result<()> {
        let now = self.now();
        let mut seen = worker.clone();
        seen.seen_at = now;
        seen.jobs.truncate(WorkerInfo::JOBS_MAX);
        let info = serde_json::to_string(&seen).unwrap_or_default();
        let until = now.plus(ttl).as_millis();
        // The row outlives the stored time by a day; what counts is the stored time.
        let kept = ttl.as_secs().saturating_add(86_400).min(365 * 86_400) as i32;
        let values = (self.cell(), worker.id.as_str(), info, until, kept);
        let statement = &self.link().statements.put_worker;
        let told = self.link().run("announce", statement, values).await;
        if ttl.is_zero() {
            self.inner.owner.give_up_all().await?;
        }
        told
    }

    /// Those that did not run out, by id.
    pub(crate) async fn list_workers(&self) -> Result<Vec<WorkerInfo>> {
        let now = self.now().as_millis();
        let make = |(_, info, until): (String, Option<String>, Option<i64>)| {
            let info = info.filter(|_| until.is_some_and(|until| until > now))?;
            serde_json::from_str::<WorkerInfo>(&info).ok()
        };
        let statement = &self.link().statements.workers;
        let read = self.link().all("workers", statement, (self.cell(),), make);
        Ok(read.await?.into_iter().flatten().collect())
    }
}
