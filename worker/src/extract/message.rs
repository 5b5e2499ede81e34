//! Parts of the message.

use bytes::Bytes;
use longshore_core::{Failure, GroupName, Headers, MessageId, Timestamp};

use super::FromJob;
use crate::JobContext;

/// Which delivery of the message this is, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt(pub u32);

impl<S> FromJob<S> for Attempt {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(Self(job.delivery.attempt))
    }
}

/// The group of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group(pub Option<GroupName>);

impl<S> FromJob<S> for Group {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(Self(job.delivery.message.group.clone()))
    }
}

/// When the store took the message, by the store's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnqueuedAt(pub Timestamp);

impl<S> FromJob<S> for EnqueuedAt {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(Self(job.delivery.message.enqueued_at))
    }
}

/// The body as it was enqueued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw(pub Bytes);

impl<S> FromJob<S> for Raw {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(Self(job.delivery.message.body.clone()))
    }
}

impl<S> FromJob<S> for MessageId {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(job.delivery.message.id)
    }
}

impl<S> FromJob<S> for Headers {
    fn from_job(job: &JobContext, _state: &S) -> Result<Self, Failure> {
        Ok(job.delivery.message.headers.clone())
    }
}
