//! What an acknowledgement waits for behind its write.

use std::time::Duration;

use longshore_core::{Result, StoreError, StoreErrorKind};
use redis::{Cmd, Value, cmd};

use crate::connection::reply::Reply;

/// What must have happened to a write before it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    /// This many replicas have it in memory.
    Replicas(u16),
    /// The server has it on its disk.
    Disk,
}

impl Waits {
    /// The command that waits for all that its connection wrote before.
    pub(crate) fn command(self, at_most: Duration) -> Cmd {
        let millis = u64::try_from(at_most.as_millis()).unwrap_or(1000);
        match self {
            Self::Replicas(wanted) => {
                let mut wait = cmd("WAIT");
                wait.arg(wanted).arg(millis);
                wait
            }
            Self::Disk => {
                let mut wait = cmd("WAITAOF");
                wait.arg(1).arg(0).arg(millis);
                wait
            }
        }
    }

    /// Whether its answer says that it came to that.
    pub(crate) fn judge(
        self,
        operation: &'static str,
        answer: Value,
        within: Duration,
    ) -> Result<()> {
        let answer = Reply::new(operation, answer);
        let said = match self {
            Self::Replicas(wanted) => {
                let reached = answer.number()?;
                if reached >= i64::from(wanted) {
                    return Ok(());
                }
                format!(
                    "it is stored on the primary, but only {reached} of {wanted} replicas confirmed \
                     it within {within:?}; see that as many replicas run and keep up, and enqueue it \
                     again with the same id, or ask for fewer by ?ack=replicas:N"
                )
            }
            Self::Disk => {
                let [on_disk, _] = answer.fixed()?;
                if on_disk.number()? >= 1 {
                    return Ok(());
                }
                format!(
                    "it is stored in the server's memory, but was not on its disk within {within:?}; \
                     see that the disk keeps up and that no-appendfsync-on-rewrite is no, and enqueue \
                     it again with the same id"
                )
            }
        };
        let error = StoreError::new(StoreErrorKind::Timeout, operation, said);
        Err(error.effect_unknown())
    }
}
