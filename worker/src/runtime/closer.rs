//! Closes the epochs of an aggregate and releases them.
//!
//! Every worker of an aggregate does so; what one has is leased. Parts that this process appends wake
//! it; of those of others it learns by the times that the store names, and by looking now and then.

mod release;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Failure, Judged, Question, Turn, Turned, Verdict};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Connection;
use crate::aggregate::Release;
use crate::runtime::closer::release::{parts_of, release};
use crate::runtime::shared::Shared;

/// An epoch is this worker's for as long as a fold may take, and this long for the calls around it.
const CALLS: Duration = Duration::from_secs(10);
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
    let room = u32::try_from(free.available_permits() + 1).unwrap_or(u32::MAX);
    let aggregate = &of.aggregate;
    let turn = Turn {
        max: NonZeroU32::new(room).unwrap_or(NonZeroU32::MIN),
        lease: of.timeout.saturating_add(CALLS),
    };
    // What is appended during the call may be due before anything that it answers.
    aggregate.forget_look();
    let mut turned = aggregate.store().turn(aggregate.name(), turn).await?;
    aggregate.looks_at(turned.next);
    drop(permit);
    for closed in std::mem::take(&mut turned.closed) {
        let Ok(permit) = free.clone().acquire_owned().await else {
            break;
        };
        let (shared_here, of) = (shared.clone(), of.clone());
        shared.jobs.spawn(async move {
            release(&shared_here, &of, closed).await;
            drop(permit);
        });
    }
    for question in std::mem::take(&mut turned.questions) {
        let Ok(permit) = free.clone().acquire_owned().await else {
            break;
        };
        let of = of.clone();
        shared.jobs.spawn(async move {
            judge(&of, question).await;
            drop(permit);
        });
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

/// Asks the predicate about an epoch, and tells the store what it said.
async fn judge(of: &Release, question: Question) {
    let aggregate = &of.aggregate;
    let name = aggregate.name();
    let answered = async {
        let (judged, parts) = judged(of, &question).await?;
        let verdict = [Verdict {
            key: question.key.clone(),
            epoch: question.epoch,
            parts,
            judged,
        }];
        aggregate.store().answer(name, &verdict).await
    };
    if let Err(error) = answered.await {
        // It is asked again when the lease of the question ends.
        tracing::debug!(aggregate = %name, key = %question.key, %error, "an epoch could not be judged");
    }
    // What that closed is to be released, and what has more parts is to be judged again.
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
    let failure = match timeout(of.timeout, asking).await {
        Ok(Ok(Ok(true))) => return Ok((Judged::Complete, count)),
        Ok(Ok(Ok(false))) => return Ok((Judged::NotYet, count)),
        Ok(Ok(Err(failure))) => failure,
        Ok(Err(panicked)) => Failure::panic(panicked.to_string()),
        Err(_elapsed) => Failure::timed_out(of.timeout),
    };
    let (name, key) = (of.aggregate.name(), &question.key);
    tracing::warn!(aggregate = %name, %key, label = %failure.labelled(), %failure, "the predicate failed and is not asked again; the epoch completes by its other rules");
    Ok((Judged::Failed, count))
}
