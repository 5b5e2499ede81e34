//! Who is alive. Nobody's clock is compared with another's: a process is dead when its beats
//! did not move for a while by the watch of the process that looks.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use longshore_core::Result;
use tokio::time::Instant;
use uuid::Uuid;

use crate::protocol::storage::Storage;

/// How often a process that owns a stripe gives a sign of life.
pub(crate) const BEAT: Duration = Duration::from_secs(1);

/// After so long without one it is declared dead.
pub(crate) const DEAD_AFTER: Duration = Duration::from_secs(6);

/// After so long without one it is worth waiting whether it is dead.
const SILENT_AFTER: Duration = Duration::from_millis(2500);

/// What was seen of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Alive,
    /// No beat for some time.
    Silent,
    Dead,
}

/// The beats of others, and when each was first seen.
#[derive(Debug, Default)]
pub(crate) struct FailureDetector(Mutex<HashMap<Uuid, (i64, Instant)>>);

impl FailureDetector {
    /// Looks at a process, and declares it dead if its time is over.
    pub(crate) async fn look(&self, storage: &dyn Storage, process: Uuid) -> Result<Life> {
        let Some(heartbeat) = storage.heartbeat(process).await? else {
            return Ok(Life::Dead);
        };
        if heartbeat.dead {
            return Ok(Life::Dead);
        }
        let since = self.since(process, heartbeat.beat);
        if since.elapsed() >= DEAD_AFTER && storage.declare_dead(process, heartbeat.beat).await? {
            return Ok(Life::Dead);
        }
        if since.elapsed() >= SILENT_AFTER {
            return Ok(Life::Silent);
        }
        Ok(Life::Alive)
    }

    fn since(&self, process: Uuid, beat: i64) -> Instant {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = seen.entry(process).or_insert((beat, Instant::now()));
        if entry.0 != beat {
            *entry = (beat, Instant::now());
        }
        entry.1
    }
}
