//! `workers`: who runs what.

use longshore::core::{Timestamp, WorkerInfo};

use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, Table, age};
use crate::session::Session;
use crate::shape::WorkerRow;

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

fn text(workers: &[WorkerInfo], now: Timestamp) -> String {
    let mut table = Table::new(&[
        "WORKER", "VERSION", "UP", "#RUNNING", "#SLOTS", "QUEUES", "KINDS", "STATE",
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
            age(now.since(worker.started_at)),
            worker.jobs.len().to_string(),
            worker.slots.to_string(),
            queues.join(", "),
            kinds,
            if worker.draining { "draining" } else { "" }.to_owned(),
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
