//! What most programs need: `use longshore::prelude::*;`.

pub use std::time::Duration;

pub use longshore_core::{Failure, Job, Lane, MessageId, OpenOptions};
pub use serde::{Deserialize, Serialize};

pub use crate::{Connection, EnqueueError, Queue};
