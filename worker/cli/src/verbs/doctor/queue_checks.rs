//! What is stuck: unserved kinds, forgotten pauses, broken moves, held groups.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use longshore::core::{
    Backend, Cursor, Finding, PageSize, QueueName, QueueStats, Severity, StoredMessage, Timestamp,
    WorkerInfo,
};

use super::fleet::takes;
use crate::error::Result;
use crate::output::{age, counted};

/// How many messages of a queue are looked at for their kinds.
const SAMPLE: usize = 200;
/// How many names are read at a time.
const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");
/// A move longer than this was probably broken off.
const MOVE_LONG: Duration = Duration::from_secs(600);

/// Checks every queue.
pub(super) async fn check(
    backend: &Backend,
    workers: &[WorkerInfo],
    now: Timestamp,
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = backend.admin.queues(after.as_ref(), PAGE).await?;
        for queue in page.items {
            if let Some(stats) = backend.admin.stats(&queue).await? {
                findings.extend(marks(&queue, &stats, now));
                if stats.waiting + stats.delayed > 0 {
                    findings.extend(unserved(backend, &queue, &stats, workers).await?);
                }
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(findings),
        }
    }
}

/// What the numbers of a queue tell.
fn marks(queue: &QueueName, stats: &QueueStats, now: Timestamp) -> Vec<Finding> {
    let check = format!("queue {queue}");
    let mut findings = Vec::new();
    let mut warn = |found: String, fix: String| {
        findings.push(Finding::new(Severity::Warning, &check, found).fix(fix));
    };
    if let Some(pause) = &stats.paused {
        warn(
            format!(
                "paused by {} for {}: {}",
                pause.author,
                age(now.since(pause.since)),
                if pause.reason.is_empty() {
                    "no reason given"
                } else {
                    &pause.reason
                }
            ),
            format!("longshore resume {queue}"),
        );
    }
    if let Some(mark) = &stats.moving {
        let since = now.since(mark.since);
        let fix = if since > MOVE_LONG {
            format!("run the move again, or longshore resume {queue} --moving")
        } else {
            "let the move end".to_owned()
        };
        warn(
            format!("being moved to {} for {}", mark.to, age(since)),
            fix,
        );
    }
    if stats.parked > 0 {
        warn(
            format!("{} held by dead members", counted(stats.parked, "group")),
            format!("longshore dead list {queue}, then redrive or discard them"),
        );
    }
    if stats.dead > 0 {
        warn(
            format!("{} to decide about", counted(stats.dead, "dead letter")),
            format!("longshore dead list {queue} --group-by error, then redrive or discard them"),
        );
    }
    if stats.set_aside > 0 {
        warn(
            format!(
                "{} of a newer version of longshore",
                counted(stats.set_aside, "message")
            ),
            "upgrade the workers".into(),
        );
    }
    if stats
        .settings
        .depth_max
        .is_some_and(|max| stats.live() >= max)
    {
        warn(
            format!("full with {}", counted(stats.live(), "message")),
            "add workers, or raise depth_max".into(),
        );
    }
    findings
}

/// Kinds that wait and that no running worker takes.
async fn unserved(
    backend: &Backend,
    queue: &QueueName,
    stats: &QueueStats,
    workers: &[WorkerInfo],
) -> Result<Vec<Finding>> {
    let check = format!("queue {queue}");
    if !workers.iter().any(|worker| worker.queues.contains(queue)) {
        let waiting = counted(stats.waiting + stats.delayed, "message");
        let finding = Finding::new(
            Severity::Warning,
            check,
            format!("{waiting} waiting, and no running worker consumes the queue"),
        );
        return Ok(vec![
            finding.fix("start a worker with a route from this queue"),
        ]);
    }
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let (mut size, mut after, mut seen) = (PageSize::default(), None, 0);
    while seen < SAMPLE {
        let page = backend
            .admin
            .peek(queue, after.as_ref(), size.get())
            .await?;
        size.saw(&page.items);
        seen += page.items.len();
        for kind in page.items.iter().filter_map(StoredMessage::kind) {
            *kinds.entry(kind.to_string()).or_default() += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let served = |kind: &str| {
        workers
            .iter()
            .any(|worker| takes(worker, queue.as_str(), kind))
    };
    Ok(kinds
        .into_iter()
        .filter(|(kind, _)| !served(kind))
        .map(|(kind, count)| {
            Finding::new(
                Severity::Warning,
                &check,
                format!(
                    "{} of kind \"{kind}\" waiting, and no running worker takes that kind",
                    counted(count, "message")
                ),
            )
            .fix("start a worker with a route of this kind, or cancel the messages")
        })
        .collect())
}
