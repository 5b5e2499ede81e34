//! What becomes of a failed attempt.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use longshore_core::{ClauseAction, DeadReason, Decision, Failure};

use super::execute::panic_text;
use super::running_jobs::Job;
use crate::Outcome;

/// An action of a clause ends by then.
const ACTION_TIMEOUT: Duration = Duration::from_secs(60);

/// The fate of an attempt and the failure it is recorded with.
#[derive(Debug)]
pub(crate) enum Verdict {
    Done,
    Retry(Duration, Failure),
    Release(Duration),
    Dead(DeadReason, Failure),
}

/// Decides about a failure, taking the action that a clause may name. `away` is how often in a
/// row the message was put back because something was away.
pub(crate) async fn decide(job: &Job, mut failure: Failure, away: u32) -> Verdict {
    let attempt = job.context.delivery.attempt;
    let policy = &job.entry.options.policy;
    let mut acted = false;
    loop {
        match policy.decide(&failure, attempt, away, fastrand::f64()) {
            Decision::Retry(delay) => return Verdict::Retry(delay, failure),
            Decision::Release(delay) => return Verdict::Release(delay),
            Decision::DeadLetter(reason) => return Verdict::Dead(reason, failure),
            Decision::Action(action) if !acted => match act(job, &failure, &action).await {
                Outcome::Done => return Verdict::Done,
                Outcome::Release { delay } => return Verdict::Release(delay),
                Outcome::Failed(next) => failure = next,
            },
            // An action whose own failure names an action again would go round for ever.
            _ => return Verdict::Dead(DeadReason::Permanent, failure),
        }
        acted = true;
    }
}

async fn act(job: &Job, failure: &Failure, action: &ClauseAction) -> Outcome {
    let work = job.entry.processor.act(&job.context, failure, action);
    let work = AssertUnwindSafe(work).catch_unwind();
    match tokio::time::timeout(ACTION_TIMEOUT, work).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Outcome::Failed(Failure::panic(panic_text(&*panic))),
        Err(_) => Outcome::Failed(Failure::timed_out(ACTION_TIMEOUT)),
    }
}
