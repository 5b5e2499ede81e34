//! The list of workers, and what a check of this store finds.

use std::time::Duration;

use longshore_core::{Finding, QueueName, Severity, Timestamp, WorkerInfo};

use crate::schema::{Data, Queue};

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
            findings.extend(stuck(name, queue, now));
        }
        findings
    }
}

/// What keeps messages of a queue from being worked.
fn stuck(name: &QueueName, queue: &Queue, now: Timestamp) -> Vec<Finding> {
    let stats = queue.stats(now);
    let mut findings = Vec::new();
    let mut add = |found: String, fix: String| {
        let check = format!("queue {name}");
        findings.push(Finding::new(Severity::Warning, check, found).fix(fix));
    };
    if let Some(pause) = &stats.paused {
        let found = format!("paused by {}: {}", pause.author, pause.reason);
        add(found, format!("longshore resume {name}"));
    }
    if let Some(mark) = &stats.moving {
        let found = format!("being moved to {}", mark.to);
        add(found, "let the move end, or run it again".to_owned());
    }
    if stats.parked > 0 {
        let found = format!("{} dead letters hold their groups", stats.parked);
        add(
            found,
            format!("longshore dead redrive {name} ID, or discard"),
        );
    }
    if stats.set_aside > 0 {
        let found = format!("{} messages are of a newer version", stats.set_aside);
        add(found, "upgrade the workers of this queue".to_owned());
    }
    findings
}
