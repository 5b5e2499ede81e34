//! What the announced workers tell.

use std::collections::BTreeSet;

use longshore::core::{Finding, Severity, WorkerInfo};

/// Checks the versions of the workers.
pub(super) fn check(workers: &[WorkerInfo]) -> Vec<Finding> {
    if workers.is_empty() {
        return vec![Finding::new(Severity::Ok, "workers", "none is running")];
    }
    let versions: BTreeSet<&str> = workers
        .iter()
        .map(|worker| worker.version.as_str())
        .collect();
    let slots: u32 = workers.iter().map(|worker| worker.slots).sum();
    let mut findings = vec![Finding::new(
        Severity::Ok,
        "workers",
        format!("{} running with {slots} slots", workers.len()),
    )];
    if versions.len() > 1 {
        let listed: Vec<&str> = versions.into_iter().collect();
        findings.push(
            Finding::new(
                Severity::Warning,
                "worker versions",
                format!("workers of {} run side by side", listed.join(" and ")),
            )
            .fix("finish the deploy; until then newer rows wait for newer workers"),
        );
    }
    findings
}

/// Whether some worker takes a kind of a queue.
pub(super) fn takes(worker: &WorkerInfo, queue: &str, kind: &str) -> bool {
    let consumes = worker.queues.iter().any(|name| name.as_str() == queue);
    consumes && (worker.kinds.is_empty() || worker.kinds.iter().any(|known| known == kind))
}
