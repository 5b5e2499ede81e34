//! Enqueueing what should happen next.

use longshore_core::{Failure, Job, MessageId, NameError};

use super::FromJob;
use crate::{Connection, EnqueueJob, JobContext, Queue};

/// The store this job came from, to enqueue what should happen next.
#[derive(Clone, Debug)]
pub struct Enqueue(JobContext);

impl Enqueue {
    /// A queue of the store this job came from.
    pub fn queue(&self, name: impl AsRef<str>) -> Result<Queue, NameError> {
        self.0.connection.queue(name)
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// Starts to enqueue a child of this job. Its id is derived from this message's id and
    /// `seed`, so that a rerun of this job names the same child and stores it once.
    pub fn child<J: Job>(
        &self,
        queue: impl AsRef<str>,
        seed: impl AsRef<str>,
        job: J,
    ) -> Result<EnqueueJob, NameError> {
        let id = self.child_id(seed);
        let request = self.queue(queue)?.enqueue(job).id(id.as_uuid());
        Ok(match &self.0.delivery.message.trace {
            Some(trace) => request.trace(trace.clone()),
            None => request,
        })
    }

    /// The id of a child with this seed.
    pub fn child_id(&self, seed: impl AsRef<str>) -> MessageId {
        let parent = self.0.delivery.message.id;
        parent.derive(&[b"child", seed.as_ref().as_bytes()])
    }
}

impl<S> FromJob<S> for Enqueue {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(Self(job.clone()))
    }
}
