//! Epochs whose dead letter was redriven: they are folded and released again.

use async_trait::async_trait;
use longshore_core::{Failure, Label};

use super::{Release, dead_form};
use crate::{JobContext, Outcome, Processor};

/// Works the queue of an aggregate's dead letters, as far as they live again.
#[derive(Debug)]
pub(crate) struct Refold(pub(crate) Release);

impl Refold {
    async fn release(&self, job: &JobContext) -> Result<(), Failure> {
        let (of, parts) = dead_form::read(&job.delivery.message)?;
        let release = self.0.clone();
        let folding = tokio::task::spawn_blocking(move || release.message(&of, &parts));
        let message = folding
            .await
            .map_err(|error| Failure::panic(format!("the fold panicked: {error}")))??;
        let queues = &job.connection.backend().queues;
        let stored = queues.enqueue(&self.0.to, &[message]).await;
        stored.map(drop).map_err(|error| {
            self.0.refusal(&error).unwrap_or_else(|| {
                let label = Label::lossy("aggregate.unavailable");
                Failure::away(&label, error.to_string())
            })
        })
    }
}

#[async_trait]
impl Processor for Refold {
    async fn process(&self, job: JobContext) -> Outcome {
        match self.release(&job).await {
            Ok(()) => Outcome::Done,
            Err(failure) => Outcome::Failed(failure),
        }
    }
}
