//! What a clause's action does where the processor does not say otherwise.

use longshore_core::{
    ClauseAction, Effect, Failure, IdOrigin, Label, NewMessage, QueueName, StoreError,
};

use super::{JobContext, Outcome};

pub(super) async fn act(job: &JobContext, failure: &Failure, action: &ClauseAction) -> Outcome {
    match action {
        ClauseAction::Handled | ClauseAction::Continued => Outcome::Done,
        ClauseAction::Forward { queue, store: None } => match send(job, queue).await {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::Failed(refusal(&error)),
        },
        other => Outcome::Failed(Failure::permanent(format!(
            "{failure}; and this worker cannot do {other:?}"
        ))),
    }
}

/// Stores the child. Its id is derived, so that a rerun names the same child.
async fn send(job: &JobContext, queue: &QueueName) -> Result<(), StoreError> {
    let parent = &job.delivery.message;
    let id = parent.id.derive(&[
        b"on_error",
        job.queue.as_str().as_bytes(),
        queue.as_str().as_bytes(),
    ]);
    let mut child = NewMessage::new(
        id,
        IdOrigin::Given,
        parent.kind.clone(),
        parent.body.clone(),
    );
    child.headers = parent.headers.clone();
    child.group.clone_from(&parent.group);
    child.lane = parent.lane;
    child.trace.clone_from(&parent.trace);
    let store = &job.connection.backend().queues;
    store.enqueue(queue, &[child]).await.map(|_| ())
}

/// A destination that is away or full is not the message's fault.
fn refusal(error: &StoreError) -> Failure {
    let label = match error.kind() {
        longshore_core::StoreErrorKind::Overloaded => "forward.overloaded",
        _ if error.is_retryable() || error.effect() == Effect::Unknown => "forward.unavailable",
        _ => {
            return Failure::permanent(error.to_string())
                .with_label(Label::lossy("forward.refused"));
        }
    };
    Failure::away(&Label::lossy(label), error.to_string())
}
