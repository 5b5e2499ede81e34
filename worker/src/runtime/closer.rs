//! Closes the epochs of an aggregate and releases them.
//!
//! Every worker of an aggregate does so; what one has is leased. Parts that this process appends wake
//! it; of those of others it learns by the times that the store names, and by looking now and then.

mod release;

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Judged, Question, Turn, Turned, Verdict};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::Connection;
use crate::aggregate::Release;
use crate::runtime::closer::release::{parts_of, release};
use crate::runtime::shared::Shared;

/// How long a closed epoch is this worker's. A fold that takes longer is begun by another worker,
/// too; both make the same message.
const LEASE: Duration = Duration::from_secs(20);
/// So many epochs are released at a time; so that a slow fold holds up no other.
const AT_A_TIME: usize = 16;
/// However quiet it is, it is looked this often: parts of others may have come.
const LOOK_EACH: Duration = Duration::from_secs(2);
/// Where a look was too early, by the difference of two clocks, it is not repeated sooner.
const LOOK_LEAST: Duration = Duration::from_millis(20);
/// The first pause after an error, doubled up to the look that comes anyway.
const PAUSE: Duration = Duration::from_millis(100);
/// A store that says no for good is asked this often.
const DENIED_EACH: Duration = Duration::from_secs(30);

/// Takes turns until the worker stops, then waits to be dismissed. Never returns.
pub(crate) async fn run(shared: Arc<Shared>, release: Arc<Release>) {
    let free = Arc::new(Semaphore::new(AT_A_TIME));
    let mut pause = PAUSE;
    while !shared.phases.is_stopping() {
        let until = match turn(&shared, &release, &free).await {
            Ok(turned) => {
                pause = PAUSE;
                next_look(&shared.connection, &turned)
            }
            Err(error) => {
                let name = release.aggregate.name();
                let wait = if error.is_retryable() {
                    tracing::debug!(aggregate = %name, %error, "no turn could be taken");
                    pause = (pause * 2).min(LOOK_EACH);
                    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
                } else {
                    tracing::error!(aggregate = %name, %error, "the aggregate cannot be worked");
                    DENIED_EACH
                };
                Instant::now() + wait
            }
        };
        tokio::select! {
            // The end of the wait is no error: it is time to look.
            _ = timeout_at(until, release.aggregate.due().notified()) => {}
            () = shared.phases.stop.cancelled() => {}
        }
    }
    std::future::pending::<()>().await;
}

/// One turn: what it hands out is worked beside the next ones.
async fn turn(
    shared: &Arc<Shared>,
    of: &Arc<Release>,
    free: &Arc<Semaphore>,
) -> longshore_core::Result<Turned> {
    // It is never closed, so there is always a permit in the end.
    let Ok(permit) = free.clone().acquire_owned().await else {
        return Ok(Turned::default());
    };
    let room = free.available_permits() + 1;
    let max = std::num::NonZeroU32::new(room as u32).unwrap_or(std::num::NonZeroU32::MIN);
    let aggregate = &of.aggregate;
    let turn = Turn { max, lease: LEASE };
    let turned = aggregate.store().turn(aggregate.name(), turn).await?;
    let mut permits = vec![permit];
    for closed in turned.closed.clone() {
        let permit = match permits.pop() {
            Some(permit) => permit,
            None => match free.clone().acquire_owned().await {
                Ok(permit) => permit,
                Err(_) => break,
            },
        };
        let (shared_here, of) = (shared.clone(), of.clone());
        shared.jobs.spawn(async move {
            release(&shared_here, &of, closed).await;
            drop(permit);
        });
    }
    drop(permits);
    if !turned.questions.is_empty() {
        judge(of, &turned.questions).await;
    }
    Ok(turned)
}

/// When to look next: at once where more is to be done. The time comes from the store's clock and is
/// compared with this host's, so that it is never believed to be over.
fn next_look(connection: &Connection, turned: &Turned) -> Instant {
    let now = Instant::now();
    if turned.more {
        return now;
    }
    let wait = turned.next.map(|at| at.since(connection.clock().now()));
    now + wait.unwrap_or(LOOK_EACH).clamp(LOOK_LEAST, LOOK_EACH)
}

/// Asks the predicate about epochs, and tells the store what it said.
async fn judge(of: &Release, questions: &[Question]) {
    let mut verdicts = Vec::with_capacity(questions.len());
    for question in questions {
        match judged(of, question).await {
            Ok((judged, parts)) => verdicts.push(Verdict {
                key: question.key.clone(),
                epoch: question.epoch,
                parts,
                judged,
            }),
            // It is asked again when the lease of the question ends.
            Err(error) => {
                tracing::debug!(aggregate = %of.aggregate.name(), %error, "the parts could not be read");
            }
        }
    }
    let aggregate = &of.aggregate;
    let answered = aggregate.store().answer(aggregate.name(), &verdicts).await;
    if let Err(error) = answered {
        tracing::debug!(aggregate = %aggregate.name(), %error, "verdicts could not be stored");
    }
    // What they closed is to be released.
    aggregate.due().notify_one();
}

async fn judged(of: &Release, question: &Question) -> longshore_core::Result<(Judged, u32)> {
    let parts = parts_of(of, &question.key, question.epoch).await?.intact;
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let predicate = question.rules.predicate.clone().unwrap_or_default();
    let Some(judge) = of.judge.clone() else {
        return Ok((Judged::Failed, count));
    };
    let asking = tokio::task::spawn_blocking(move || judge.is_complete(&predicate, &parts));
    let judged = match asking.await {
        Ok(Ok(true)) => Judged::Complete,
        Ok(Ok(false)) => Judged::NotYet,
        Ok(Err(failure)) => {
            let (name, key) = (of.aggregate.name(), &question.key);
            tracing::warn!(aggregate = %name, %key, label = %failure.labelled(), %failure, "the predicate failed and is not asked again; the epoch completes by its other rules");
            Judged::Failed
        }
        Err(_panicked) => Judged::Failed,
    };
    Ok((judged, count))
}
