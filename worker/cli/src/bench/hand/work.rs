//! A whole worker whose typed handler does nothing but note what it got.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use longshore::core::{Failure, Job, MessageId};
use longshore::extract::State;
use longshore::{Connection, RunReport, Worker};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc};

use super::order::Said;
use crate::bench::load::Load;
use crate::bench::meter::{Moment, Span};
use crate::bench::pump;
use crate::bench::tally::Tally;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// The job of every bench: its body is a JSON string.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Letters(String);

impl Job for Letters {
    const KIND: &'static str = Load::KIND;
}

/// What the jobs of one run note down.
#[derive(Debug)]
struct Notes {
    load: Load,
    tally: Mutex<Tally>,
    messages: u64,
    all_seen: Notify,
}

/// Works `messages` to the end, at most `concurrency` at a time.
pub(super) async fn work(
    connection: Connection,
    load: Load,
    messages: u64,
    concurrency: u32,
) -> Result<(Span, Tally)> {
    let notes = Arc::new(Notes {
        load,
        tally: Mutex::new(Tally::new(messages)),
        messages,
        all_seen: Notify::new(),
    });
    let start = Moment::now();
    let worker = Worker::builder(connection)
        .with_state(notes.clone())
        .concurrency(concurrency as usize)
        .queue(pump::QUEUE, |queue| queue.handle(note));
    let done = worker.run_until(notes.all_seen.notified()).await;
    let end = Moment::now();
    let tally = lock(&notes.tally).clone();
    require_all_acked(&done.map_err(failed)?, messages)?;
    Ok((Span { start, end }, tally))
}

/// Runs a worker until `stop`; each job is told.
pub(super) async fn attend(
    connection: Connection,
    load: Load,
    says: mpsc::Sender<Said>,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let worker = Worker::builder(connection)
        .with_state((load, says))
        .queue(pump::QUEUE, |queue| queue.handle(tell));
    worker.run_until(stop).await.map(drop).map_err(failed)
}

async fn note(_: Letters, id: MessageId, State(notes): State<Arc<Notes>>) -> Result<(), Failure> {
    let mut tally = lock(&notes.tally);
    if tally.mark(notes.load.number(id)) >= notes.messages {
        notes.all_seen.notify_one();
    }
    Ok(())
}

async fn tell(
    _: Letters,
    id: MessageId,
    State((load, says)): State<(Load, mpsc::Sender<Said>)>,
) -> Result<(), Failure> {
    let said = Said::Taken {
        number: load.number(id),
        at: Moment::now(),
        settled: None,
    };
    says.send(said)
        .await
        .map_err(|_| Failure::retryable("the bench is over"))
}

fn require_all_acked(report: &RunReport, messages: u64) -> Result<()> {
    let wrong = report.retried + report.dead + report.lease_lost + report.dropped;
    if report.acked == messages && wrong == 0 {
        return Ok(());
    }
    Err(pump::wrong(&format!(
        "the worker acked {} of {messages} messages, and {wrong} deliveries ended in another way",
        report.acked
    )))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the argument of map_err"
)]
fn failed(error: longshore::RunError) -> CliError {
    CliError::new(Exit::Failed, format!("bench failed: {error}"))
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
