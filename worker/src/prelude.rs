//! What most programs need: `use longshore::prelude::*;`.

pub use std::time::Duration;

pub use longshore_core::{Failure, Headers, Job, Lane, MessageId, OpenOptions};
pub use serde::{Deserialize, Serialize};

pub use crate::extract::{
    Attempt, Cancel, Checkpoint, Enqueue, EnqueuedAt, FromRef, Group, Lease, Raw, State,
};
pub use crate::{Connection, EnqueueError, Outcome, Policy, Queue, Worker};
