//! Whether a worker lives and whether it is ready.

use std::num::NonZeroU32;
use std::time::Duration;

use longshore::Connection;
use longshore_routes::RunnerHandle;

/// A loop that has not turned for this long hangs.
const HEARTBEAT_MAX: Duration = Duration::from_secs(30);
/// A store that does not answer within this is not reached.
const STORE_WAIT: Duration = Duration::from_secs(2);

/// What the probes ask.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    runner: RunnerHandle,
    connection: Connection,
}

impl Health {
    /// The health of a runner on a store.
    pub(crate) fn new(runner: RunnerHandle, connection: Connection) -> Self {
        Self { runner, connection }
    }

    /// Whether its loops turn. Never touches the store: a store that is away is no reason to
    /// restart a worker.
    pub(crate) fn lives(&self) -> Result<(), String> {
        let silent = self.runner.heartbeat().elapsed();
        if silent > HEARTBEAT_MAX {
            return Err(format!("no loop has turned for {} s", silent.as_secs()));
        }
        Ok(())
    }

    /// Whether it takes work: routes run, the store answers, no drain has begun.
    pub(crate) async fn is_ready(&self) -> Result<(), String> {
        if self.runner.is_draining() {
            return Err("draining".into());
        }
        self.lives()?;
        let admin = &self.connection.backend().admin;
        match tokio::time::timeout(STORE_WAIT, admin.queues(None, NonZeroU32::MIN)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!(
                "the store does not answer: {}",
                error.kind().as_str()
            )),
            Err(_) => Err(format!("the store gave no answer in {STORE_WAIT:?}")),
        }
    }
}
