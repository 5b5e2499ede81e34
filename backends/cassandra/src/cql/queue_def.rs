//! What all processes obey of a queue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use longshore_core::{MovingMark, Pause, QueueName, QueueSettings};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

/// A queue.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueueDef {
    /// New each time the name is created: keys of data never come twice.
    pub(crate) queue: Uuid,
    pub(crate) shards: i32,
    pub(crate) version: i64,
    pub(crate) settings: QueueSettings,
    pub(crate) pause: Option<Pause>,
    pub(crate) moving: Option<MovingMark>,
    /// It was deleted: it exists only as far as something is in it. Its row stays, so that the
    /// process that still knows it stores nothing that nobody finds.
    pub(crate) is_deleted: bool,
}

/// The settings of a queue as they are stored.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredSettings {
    #[serde(flatten)]
    pub(crate) settings: QueueSettings,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_deleted: bool,
}

impl StoredSettings {
    pub(crate) fn of(def: &QueueDef) -> Self {
        Self {
            settings: def.settings.clone(),
            is_deleted: def.is_deleted,
        }
    }
}

impl QueueDef {
    /// Whether nothing may be handed out.
    pub(crate) fn is_held(&self) -> bool {
        self.pause.is_some() || self.moving.is_some()
    }
}

/// What a process knows of the queues of its cells.
pub(crate) type Cache = Mutex<HashMap<(i16, QueueName), (Instant, Arc<QueueDef>)>>;
