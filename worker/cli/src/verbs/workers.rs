//! `workers`: workers and their running jobs.

use std::time::Duration;

use longshore::core::{Timestamp, WorkerInfo};

use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, Table, age};
use crate::session::Session;
use crate::shape::WorkerRow;

/// A worker tells each 5 s that it is there. One that has not for so long is probably gone; it
/// stays on the list until 30 s have passed.
const SILENT_AFTER: Duration = Duration::from_secs(8);

pub(super) async fn perform(session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let workers = connection.backend().admin.workers().await?;
    if session.json() {
        let rows: Vec<WorkerRow<'_>> = workers.iter().map(WorkerRow::of).collect();
        Stdout::json(&rows)?;
    } else if workers.is_empty() {
        session.note("no worker is running; `longshore run FILE` starts one");
    } else {
        Stdout::text(&text(&workers, connection.clock().now()))?;
    }
    Ok(Exit::Done)
}

fn is_silent(worker: &WorkerInfo, now: Timestamp) -> bool {
    now.since(worker.seen_at) >= SILENT_AFTER
}

/// Until when it is known to have been up.
fn last_up(worker: &WorkerInfo, now: Timestamp) -> Timestamp {
    if is_silent(worker, now) {
        worker.seen_at
    } else {
        now
    }
}

fn state(worker: &WorkerInfo, now: Timestamp) -> String {
    if is_silent(worker, now) {
        return format!("silent for {}", age(now.since(worker.seen_at)));
    }
    if worker.draining { "draining" } else { "" }.to_owned()
}

fn text(workers: &[WorkerInfo], now: Timestamp) -> String {
    let mut table = Table::new(&[
        "WORKER", "VERSION", "UP", "SEEN", "#RUNNING", "#SLOTS", "QUEUES", "KINDS", "STATE",
    ]);
    for worker in workers {
        let queues: Vec<&str> = worker.queues.iter().map(AsRef::as_ref).collect();
        let kinds = match worker.kinds.as_slice() {
            [] => "all".to_owned(),
            some => some.join(", "),
        };
        table.row([
            worker.id.clone(),
            worker.version.clone(),
            age(last_up(worker, now).since(worker.started_at)),
            format!("{} ago", age(now.since(worker.seen_at))),
            worker.jobs.len().to_string(),
            worker.slots.to_string(),
            queues.join(", "),
            kinds,
            state(worker, now),
        ]);
    }
    let mut text = table.render();
    let jobs = workers
        .iter()
        .flat_map(|worker| worker.jobs.iter().map(move |job| (worker, job)));
    let mut running = Table::new(&["MESSAGE", "QUEUE", "#ATTEMPT", "#FOR", "WORKER"]);
    let mut any = false;
    for (worker, job) in jobs {
        any = true;
        running.row([
            job.id.to_string(),
            job.queue.to_string(),
            job.attempt.to_string(),
            age(now.since(job.started_at)),
            worker.id.clone(),
        ]);
    }
    if any {
        text.push('\n');
        text += &running.render();
    }
    text
}
