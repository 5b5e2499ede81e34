//! The handle of a queue.

mod batch;
mod calls;
mod enqueue;
mod message_options;
mod outcome;

use std::fmt;

use bytes::Bytes;
use longshore_core::{Job, NameError, NewMessage, QueueName};

use crate::Connection;

pub use batch::EnqueueBatch;
pub use enqueue::{EnqueueJob, EnqueuedJob};
pub use outcome::{BatchError, BatchItem, BatchOutcome, ItemOutcome};

/// A queue of an open store. Cloning is cheap.
#[derive(Clone)]
pub struct Queue {
    connection: Connection,
    name: QueueName,
}

impl Connection {
    /// The queue of this name. It exists in the store from its first message on.
    pub fn queue(&self, name: impl AsRef<str>) -> Result<Queue, NameError> {
        QueueName::new(name).map(|name| Queue {
            connection: self.clone(),
            name,
        })
    }
}

impl Queue {
    /// The name.
    pub fn name(&self) -> &QueueName {
        &self.name
    }

    /// The store it belongs to.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Starts to enqueue a job; awaiting it stores the message.
    ///
    /// ```
    /// use longshore::prelude::*;
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Greet { name: String }
    /// impl Job for Greet { const KIND: &'static str = "greet"; }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async
    /// {
    /// let queue = longshore::connect("memory://doc-enqueue").await?.queue("mail")?; let first =
    /// queue.enqueue(Greet { name: "Ada".into() }).dedup("ada", Duration::from_secs(60)).await?;
    /// let again = queue.enqueue(Greet { name: "Ada".into() }).dedup("ada",
    /// Duration::from_secs(60)).await?; assert!(again.duplicate && again.id == first.id);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a job that was enqueued belongs to the queue"
    )]
    pub fn enqueue<J: Job>(&self, job: J) -> EnqueueJob {
        EnqueueJob::new(self.clone(), J::KIND, serde_json::to_vec(&job))
    }

    /// Starts to enqueue any bytes under a kind.
    pub fn enqueue_raw(&self, kind: impl AsRef<str>, body: impl Into<Bytes>) -> EnqueueJob {
        EnqueueJob::new(self.clone(), kind.as_ref(), Ok(body.into()))
    }

    /// Starts to enqueue many jobs; awaiting it stores them in order, in batches as large as the
    /// store takes, and answers an outcome for each.
    pub fn enqueue_batch<J: Job>(&self, jobs: impl IntoIterator<Item = J>) -> EnqueueBatch {
        let bodies = jobs
            .into_iter()
            .map(|job| serde_json::to_vec(&job).map(Bytes::from));
        EnqueueBatch::of_bodies(self.clone(), J::KIND, bodies)
    }

    /// Starts to enqueue messages that were put together by hand, each with its own options.
    pub fn enqueue_messages(&self, messages: Vec<NewMessage>) -> EnqueueBatch {
        EnqueueBatch::of_messages(self.clone(), messages)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Queue({} in {})", self.name, self.connection.url())
    }
}
