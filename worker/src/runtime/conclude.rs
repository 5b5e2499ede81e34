//! From how a job ended to how its delivery is settled.

use bytes::Bytes;
use longshore_core::{AttemptRecord, DeadReason, Disposition, Due, Failure, Label, Timestamp};

use super::decide::{Verdict, decide};
use super::execute::Ended;
use super::fate::{Conclusion, Fate};
use super::queue_runtime::QueueRuntime;
use super::running_jobs::Job;
use crate::Outcome;
use crate::hooks::{DeadEvent, FailedAttempt, RetryEvent};

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

fn put_back(delay: std::time::Duration, checkpoint: Option<Bytes>) -> Conclusion {
    let due = (!delay.is_zero()).then_some(Due::In(delay));
    Conclusion::release(due, checkpoint)
}
