//! Tells the store who works here.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::WorkerInfo;
use tokio::time::{Instant, MissedTickBehavior};

use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::shared::Shared;

/// How often a worker says that it is there, if there is nothing new.
const EVERY: Duration = Duration::from_secs(5);
/// How often it looks whether there is: what it runs is told at most so late.
const LOOK_EACH: Duration = Duration::from_secs(1);
/// How long it stays on the list without saying so.
const TTL: Duration = Duration::from_secs(30);
/// Leaving the list is a courtesy; it must not hold up an exit.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Announces the worker again and again. Never returns.
pub(crate) async fn run(shared: Arc<Shared>, queues: Vec<Arc<QueueRuntime>>) {
    let mut look = tokio::time::interval(LOOK_EACH);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: Option<(WorkerInfo, Instant)> = None;
    loop {
        let draining = told.as_ref().is_some_and(|(info, _)| info.draining);
        tokio::select! {
            _ = look.tick() => {}
            // The drain is shown at once.
            () = shared.phases.stop.cancelled(), if !draining => {}
        }
        let info = describe(&shared, &queues);
        let is_old = told.as_ref().is_none_or(|(last, at)| {
            at.elapsed() >= EVERY || last.draining != info.draining || last.jobs != info.jobs
        });
        if is_old {
            announce(&shared, &info, TTL).await;
            told = Some((info, Instant::now()));
        }
    }
}

/// Takes the worker off the list.
pub(crate) async fn farewell(shared: &Shared, queues: &[Arc<QueueRuntime>]) {
    let info = describe(shared, queues);
    let farewell = announce(shared, &info, Duration::ZERO);
    let _ = tokio::time::timeout(FAREWELL_MAX, farewell).await;
}

async fn announce(shared: &Shared, info: &WorkerInfo, ttl: Duration) {
    if let Err(error) = shared.connection.backend().admin.announce(info, ttl).await {
        tracing::debug!(%error, "the worker could not be announced");
    }
}

fn describe(shared: &Shared, queues: &[Arc<QueueRuntime>]) -> WorkerInfo {
    let identity = &shared.identity;
    let mut info = WorkerInfo::new(
        identity.id.to_string(),
        identity.host.clone(),
        identity.pid,
        env!("CARGO_PKG_VERSION").to_owned(),
        identity.started_at,
    );
    info.seen_at = shared.connection.clock().now();
    // What its queues cannot use are no slots.
    let usable: usize = queues.iter().map(|queue| queue.concurrency).sum();
    info.slots = u32::try_from(shared.concurrency.min(usable)).unwrap_or(u32::MAX);
    info.draining = shared.phases.is_stopping();
    info.queues = queues.iter().map(|queue| queue.name.clone()).collect();
    let kinds: Vec<_> = queues.iter().map(|queue| queue.kinds()).collect();
    // One queue that takes every kind makes the worker one that takes all.
    if kinds.iter().all(|kinds| !kinds.is_empty()) {
        info.kinds = kinds.concat();
        info.kinds.sort_unstable();
        info.kinds.dedup();
    }
    let jobs = queues
        .iter()
        .flat_map(|queue| queue.running.started(WorkerInfo::JOBS_MAX));
    info.jobs = jobs.collect();
    info.jobs.sort_by_key(|job| job.started_at);
    info.jobs.truncate(WorkerInfo::JOBS_MAX);
    info
}
