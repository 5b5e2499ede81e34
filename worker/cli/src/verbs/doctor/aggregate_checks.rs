//! What is stuck in aggregates, and whether their numbers add up.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use longshore::core::{
    AggregateInfo, AggregateStore, Backend, Cursor, EpochState, Finding, Severity, Timestamp,
    WorkerInfo,
};

use crate::error::Result;
use crate::output::{age, counted};

/// How many are read at a time.
const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");
/// What is complete for longer should have been released.
const CLOSED_LONG: Duration = Duration::from_secs(300);
/// What another data centre has not taken for longer is held up.
const OUTGOING_LONG: Duration = Duration::from_secs(300);

/// Checks every aggregate, where the store keeps any.
pub(super) async fn check(
    backend: &Backend,
    workers: &[WorkerInfo],
    now: Timestamp,
) -> Result<Vec<Finding>> {
    let Some(store) = &backend.aggregates else {
        return Ok(Vec::new());
    };
    let mut findings = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = store.list(after.as_ref(), PAGE).await?;
        for info in page.items {
            findings.extend(numbers(&info));
            findings.extend(outgoing(&info, now));
            findings.extend(stuck(store, &info, workers, now).await?);
        }
        after = page.next;
        if after.is_none() {
            return Ok(findings);
        }
    }
}

fn numbers(info: &AggregateInfo) -> Option<Finding> {
    let check = format!("counters of aggregate {}", info.name);
    let found = format!(
        "{} parts were accepted, but open, closed, released, dead, dropped and discarded ones are \
         not as many in sum",
        info.accepted
    );
    (!info.is_balanced()).then(|| Finding::new(Severity::Problem, check, found))
}

/// Parts that another data centre does not take.
fn outgoing(info: &AggregateInfo, now: Timestamp) -> Option<Finding> {
    let waits = now.since(info.outgoing_since?);
    let found = format!(
        "{} for other data centres, the oldest for {}",
        counted(info.outgoing, "part"),
        age(waits)
    );
    let fix = "see that the data centres reach each other, and that workers of the aggregate run in \
               each";
    let check = format!("aggregate {}", info.name);
    let finding = Finding::new(Severity::Warning, check, found).fix(fix);
    (waits >= OUTGOING_LONG).then_some(finding)
}

async fn stuck(
    store: &Arc<dyn AggregateStore>,
    info: &AggregateInfo,
    workers: &[WorkerInfo],
    now: Timestamp,
) -> Result<Option<Finding>> {
    if info.open_epochs + info.closed_epochs == 0 {
        return Ok(None);
    }
    let check = format!("aggregate {}", info.name);
    let dead = format!("aggregate.{}", info.name);
    let is_worked = workers
        .iter()
        .any(|worker| worker.queues.iter().any(|queue| queue.as_str() == dead));
    if !is_worked {
        let found = format!(
            "{} open and {} closed, and no worker of it is running",
            counted(info.open_epochs, "epoch"),
            info.closed_epochs
        );
        let fix = "start a worker with the route of the aggregate";
        return Ok(Some(Finding::new(Severity::Warning, check, found).fix(fix)));
    }
    let Some(since) = first_closed(store, info).await? else {
        return Ok(None);
    };
    let waits = now.since(since);
    if waits < CLOSED_LONG {
        return Ok(None);
    }
    let found = format!(
        "{} complete and not released, the first for {}",
        counted(info.closed_epochs, "epoch"),
        age(waits)
    );
    let fix = "see in the log of its workers why their queue does not take them";
    Ok(Some(Finding::new(Severity::Warning, check, found).fix(fix)))
}

/// Since when the first closed epoch waits. The first in the list is the oldest or close to it.
async fn first_closed(
    store: &Arc<dyn AggregateStore>,
    info: &AggregateInfo,
) -> Result<Option<Timestamp>> {
    if info.closed_epochs == 0 {
        return Ok(None);
    }
    let mut after: Option<Cursor> = None;
    loop {
        let page = store.epochs(&info.name, None, after.as_ref(), PAGE).await?;
        for epoch in &page.items {
            if let EpochState::Closed { at, .. } = epoch.state {
                return Ok(Some(at));
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(None);
        }
    }
}
