//! Calls that wait for the same shard go as one record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_core::{Effect, Result, StoreError, StoreErrorKind};
use tokio::sync::oneshot;

use crate::aggregate::log::{Batch, Log};
use crate::aggregate::record::Command;
use crate::aggregate::replica::{Replica, Reply};
use crate::aggregate::storage::PartRow;
use crate::aggregate::waiting::Waiting;

/// A log that many calls of this process use.
#[derive(Debug)]
pub(crate) struct SharedLog {
    pub(crate) log: Log,
    waiting: Mutex<Waiting>,
    /// Who holds it makes the next record. What is played is played whole, so that it may be
    /// dropped at any time.
    replica: tokio::sync::Mutex<Option<Replica>>,
}

impl SharedLog {
    pub(crate) fn new(log: Log) -> Arc<Self> {
        Arc::new(Self {
            log,
            waiting: Mutex::default(),
            replica: tokio::sync::Mutex::default(),
        })
    }

    /// Makes a call and answers its reply.
    ///
    /// # Cancellation
    ///
    /// Dropping the future takes the call back, if its record is not being written yet.
    pub(crate) async fn submit(
        self: &Arc<Self>,
        command: Command,
        parts: Vec<PartRow>,
    ) -> Result<Reply> {
        let (tell, told) = oneshot::channel();
        self.waiting().push(command, parts, tell)?;
        let log = self.clone();
        tokio::spawn(async move { log.drive().await });
        told.await.unwrap_or_else(|_| {
            let said = "the runtime of this program is shutting down";
            let error = StoreError::new(StoreErrorKind::Unexpected, "aggregate", said);
            Err(error.effect_unknown())
        })
    }

    /// Looks at the shard as it is now.
    pub(crate) async fn look<T>(&self, look: impl FnOnce(&Replica) -> T + Send) -> Result<T> {
        let mut replica = self.replica.lock().await;
        self.log.refresh(&mut replica, None).await?;
        let missing = || StoreError::new(StoreErrorKind::Unexpected, "aggregate", "no replica");
        replica.as_ref().map(look).ok_or_else(missing)
    }

    /// Stores all that waits now.
    async fn drive(&self) {
        let mut replica = self.replica.lock().await;
        while !self.waiting().is_empty() {
            let (mut batch, mut tell) = (Batch::default(), Vec::new());
            let fill = |batch: &mut Batch| self.waiting().fill(batch, &mut tell);
            match self.log.commit(&mut replica, &mut batch, fill).await {
                Ok(replies) => {
                    for (tell, reply) in tell.into_iter().zip(replies) {
                        // Who does not wait any more finds out by calling again.
                        let _ = tell.send(Ok(reply));
                    }
                }
                Err(error) => {
                    // Also those that nobody took in: they would meet the same.
                    self.waiting().fill(&mut batch, &mut tell);
                    for tell in tell {
                        let _ = tell.send(Err(same(&error)));
                    }
                }
            }
            self.log.tidy(&mut replica).await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same error for each of several calls.
fn same(error: &StoreError) -> StoreError {
    let same = StoreError::new(error.kind(), error.operation(), error.message().to_owned());
    match error.effect() {
        Effect::NotApplied => same,
        Effect::Unknown => same.effect_unknown(),
    }
}
