//! The list of workers, and what a check of this store finds.

use std::time::Duration;

use longshore_core::{Finding, Severity, Timestamp, WorkerInfo};

use crate::schema::Data;

impl Data {
    pub(crate) fn announce(&mut self, worker: &WorkerInfo, ttl: Duration, now: Timestamp) {
        if ttl.is_zero() {
            self.workers.remove(&worker.id);
            return;
        }
        let mut seen = worker.clone();
        seen.seen_at = now;
        seen.jobs.truncate(WorkerInfo::JOBS_MAX);
        self.workers
            .insert(worker.id.clone(), (seen, now.plus(ttl)));
    }

    pub(crate) fn list_workers(&mut self, now: Timestamp) -> Vec<WorkerInfo> {
        self.workers.retain(|_, (_, until)| *until > now);
        self.workers
            .values()
            .map(|(worker, _)| worker.clone())
            .collect()
    }

    pub(crate) fn check(&mut self, now: Timestamp) -> Vec<Finding> {
        let lost = "messages are kept in this process only and end with it";
        let mut findings = vec![
            Finding::new(Severity::Warning, "durability", lost)
                .fix("use sqlite:// or another store for messages that must survive"),
        ];
        for (name, queue) in &mut self.queues {
            queue.tick(now);
            findings.extend(queue.stats(now).stuck(name));
        }
        findings
    }
}
