//! Progress that outlives an attempt.

use bytes::Bytes;
use longshore_core::Failure;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::FromJob;
use crate::JobContext;

/// Where an attempt leaves word for the next one.
///
/// What is stored goes out when this attempt ends in anything but an ack; a crash before that
/// keeps the older one. At most 64 KiB.
#[derive(Clone, Debug)]
pub struct Checkpoint(JobContext);

impl Checkpoint {
    /// What an earlier attempt (or this one) stored, read from JSON; `None` if nothing.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        let Some(bytes) = self.bytes() else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Failure::permanent(format!(
                "the checkpoint is not what this handler stores: {error}; clear it or read the older form"
            ))
        })
    }

    /// Stores a value as JSON for the next attempt.
    pub fn store<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        self.store_bytes(serde_json::to_vec(value)?)
    }

    /// What was stored, as bytes.
    pub fn bytes(&self) -> Option<Bytes> {
        self.0.checkpoint().get()
    }

    /// Stores bytes for the next attempt.
    pub fn store_bytes(&self, bytes: impl Into<Bytes>) -> Result<(), Failure> {
        self.0.checkpoint().set(bytes)
    }

    /// Forgets what was stored.
    pub fn clear(&self) {
        self.0.checkpoint().clear();
    }
}

impl<S> FromJob<S> for Checkpoint {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(Self(job.clone()))
    }
}
