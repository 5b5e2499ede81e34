//! From how a job ended to how its delivery is settled, and what that means besides.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use longshore_core::{
    AttemptRecord, ClauseAction, DeadReason, Decision, Disposition, Due, Failure, Label, Timestamp,
};

use crate::Outcome;
use crate::hooks::{DeadEvent, FailedAttempt, RetryEvent};
use crate::runtime::job::execute::{Ended, panic_text};
use crate::runtime::job::running::Job;
use crate::runtime::queue_runtime::QueueRuntime;
use crate::runtime::settle::conclusion::{Conclusion, Fate};

/// An action of a clause ends by then.
const ACTION_TIMEOUT: Duration = Duration::from_secs(60);

/// Concludes a job that ended by itself, by its timeout or by a panic; the other ends give it
/// back.
pub(crate) async fn conclude(queue: &QueueRuntime, job: &Job, ended: Ended) -> Conclusion {
    let id = job.context.delivery.message.id;
    let checkpoint = || job.context.state.checkpoint_set();
    let failure = match ended {
        Ended::Outcome(Outcome::Done) => {
            queue.away.end(id);
            return acked();
        }
        Ended::Outcome(Outcome::Release { delay }) => return put_back(delay, checkpoint()),
        Ended::Outcome(Outcome::Failed(failure)) => failure,
        Ended::TimedOut => Failure::timed_out(job.entry.options.timeout),
        Ended::Panicked(text) => Failure::panic(text),
        Ended::LeaseLost | Ended::Interrupted | Ended::Halted => {
            return Conclusion::release(None, checkpoint());
        }
    };
    let verdict = decide(job, failure, queue.away.of(id)).await;
    if let Verdict::Release(delay) = verdict {
        queue.away.grow(id);
        return put_back(delay, checkpoint());
    }
    queue.away.end(id);
    match verdict {
        Verdict::Retry(delay, failure) => {
            let (record, attempt) = told(queue, job, failure.labelled(), &failure.to_string());
            Conclusion {
                disposition: Disposition::Retry {
                    due: Due::In(delay),
                    record,
                    checkpoint: checkpoint(),
                },
                fate: Fate::Retried(Box::new(RetryEvent { attempt, delay })),
            }
        }
        Verdict::Dead(reason, failure) => {
            dead(queue, job, reason, failure.labelled(), &failure.to_string()).await
        }
        Verdict::Done | Verdict::Release(_) => acked(),
    }
}

/// Concludes a delivery that is given up without being run.
pub(crate) async fn refuse(queue: &QueueRuntime, job: &Job, reason: DeadReason) -> Conclusion {
    let delivery = &job.context.delivery;
    let error = if reason == DeadReason::Vanished {
        format!(
            "{} deliveries in a row ended without a settle: the message seems to kill or hang the worker that runs it; it was not run again",
            delivery.vanished()
        )
    } else {
        format!(
            "delivery {} is beyond every limit of the policy; it was not run again",
            delivery.attempt
        )
    };
    dead(queue, job, reason, &Label::lossy(reason.as_str()), &error).await
}

async fn dead(
    queue: &QueueRuntime,
    job: &Job,
    reason: DeadReason,
    label: &Label,
    error: &str,
) -> Conclusion {
    let (record, attempt) = told(queue, job, label, error);
    let grouped = job.context.delivery.message.group.is_some();
    let park_group = grouped
        && queue
            .group_dead
            .parks(&queue.shared.connection, &queue.name)
            .await;
    Conclusion {
        disposition: Disposition::DeadLetter {
            reason,
            record,
            park_group,
            checkpoint: job.context.state.checkpoint_set(),
        },
        fate: Fate::Dead(Box::new(DeadEvent { attempt, reason })),
    }
}

/// The record for the store and the same for hooks and logs.
fn told(
    queue: &QueueRuntime,
    job: &Job,
    label: &Label,
    error: &str,
) -> (AttemptRecord, FailedAttempt) {
    let now = queue.shared.connection.clock().now();
    let started_at: Timestamp = job.started_at.get().copied().unwrap_or(now);
    let record = AttemptRecord::new(&*job.context.worker, started_at, now, label.clone(), error);
    let message = &job.context.delivery.message;
    let attempt = FailedAttempt {
        id: message.id,
        queue: queue.name.clone(),
        kind: message.kind.clone(),
        attempt: job.context.delivery.attempt,
        label: label.clone(),
        error: record.error.clone(),
    };
    (record, attempt)
}

fn acked() -> Conclusion {
    Conclusion {
        disposition: Disposition::Ack,
        fate: Fate::Acked,
    }
}

fn put_back(delay: Duration, checkpoint: Option<Bytes>) -> Conclusion {
    let due = (!delay.is_zero()).then_some(Due::In(delay));
    Conclusion::release(due, checkpoint)
}

/// The fate of an attempt and the failure it is recorded with.
#[derive(Debug)]
enum Verdict {
    Done,
    Retry(Duration, Failure),
    Release(Duration),
    Dead(DeadReason, Failure),
}

/// Decides about a failure, taking the action that a clause may name. `away` is how often in a
/// row the message was put back because something was away.
async fn decide(job: &Job, mut failure: Failure, away: u32) -> Verdict {
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
            // An action whose own failure names an action again would go round forever.
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
