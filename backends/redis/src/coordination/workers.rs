//! The registry of workers.

use std::time::Duration;

use longshore_core::{Result, Timestamp, WorkerInfo};
use redis::cmd;

use crate::connection::call::Call;
use crate::scripts;
use crate::store::RedisStore;

impl RedisStore {
    pub(crate) async fn announce_worker(&self, worker: &WorkerInfo, ttl: Duration) -> Result<()> {
        let text = if ttl.is_zero() {
            String::new()
        } else {
            let mut worker = worker.clone();
            worker.jobs.truncate(WorkerInfo::JOBS_MAX);
            serde_json::to_string(&worker).unwrap_or_default()
        };
        let mut call = Call::new("announce", &scripts::ANNOUNCE, vec![self.keys.workers()]);
        call.arg(self.time.argument())
            .arg(&worker.id)
            .arg(
                u64::try_from(ttl.as_millis())
                    .unwrap_or(u64::MAX)
                    .min(1 << 52),
            )
            .arg(text);
        self.session.run(&call).await.map(drop)
    }

    pub(crate) async fn list_workers(&self) -> Result<Vec<WorkerInfo>> {
        let mut ask = cmd("HVALS");
        ask.arg(self.keys.workers());
        let now = self.time.now().as_millis();
        let mut workers = Vec::new();
        for entry in self.session.command("workers", &ask).await?.list()? {
            workers.extend(read(&entry.text()?, now));
        }
        workers.sort_by(|a: &WorkerInfo, b| a.id.cmp(&b.id));
        Ok(workers)
    }
}

/// Reads `seen until announcement`; one that ran out, or that cannot be read, is none.
fn read(entry: &str, now: i64) -> Option<WorkerInfo> {
    let mut parts = entry.splitn(3, ' ');
    let seen: i64 = parts.next()?.parse().ok()?;
    let until: i64 = parts.next()?.parse().ok()?;
    if until <= now {
        return None;
    }
    let mut worker: WorkerInfo = serde_json::from_str(parts.next()?).ok()?;
    worker.seen_at = Timestamp::from_millis(seen);
    Some(worker)
}
