//! The store and its data plane.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::{check_count, check_lease, check_settlements};
use longshore_core::{
    Enqueued, NewMessage, QueueName, QueueStore, Receipt, Receive, Received, Result, Settled,
    Settlement, StoreLimits,
};
use rusqlite::Connection;
use tokio::time::{Instant, timeout_at};

use crate::config::SPAN_MAX;
use crate::engine::Engine;
use crate::enqueue::enqueue;
use crate::error::Outcome;
use crate::receive::receive;
use crate::settle::{extend, settle};
use crate::tx::Tx;

/// A handle on a file. All handles of a process on one file share their connections.
#[derive(Debug)]
pub struct SqliteStore {
    pub(crate) engine: Arc<Engine>,
    call_timeout: Duration,
}

impl SqliteStore {
    /// A handle whose calls end within `call_timeout`.
    pub(crate) fn new(engine: Arc<Engine>, call_timeout: Duration) -> Self {
        Self {
            engine,
            call_timeout,
        }
    }

    /// Runs `work` in a transaction of the writer.
    pub(crate) async fn write<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Outcome<T> + Send + 'static,
    {
        self.engine.write(operation, self.call_timeout, work).await
    }

    /// Reads one consistent state.
    pub(crate) async fn read<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let readers = &self.engine.readers;
        readers.read(operation, self.call_timeout, work).await
    }
}

#[async_trait]
impl QueueStore for SqliteStore {
    fn limits(&self) -> StoreLimits {
        StoreLimits::exact()
    }

    async fn enqueue(&self, queue: &QueueName, batch: &[NewMessage]) -> Result<Vec<Enqueued>> {
        let limits = self.limits();
        check_count("enqueue", batch.len(), &limits)?;
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (queue, batch) = (queue.clone(), batch.to_vec());
        self.write("enqueue", move |tx| enqueue(tx, &queue, &batch, &limits))
            .await
    }

    async fn receive(&self, queue: &QueueName, request: Receive) -> Result<Received> {
        check_lease("receive", request.lease)?;
        let request = Receive {
            batch_max: request.batch_max.min(self.limits().batch_max),
            ..request
        };
        let deadline = Instant::now() + request.wait_max.min(SPAN_MAX);
        let mut set_aside = 0;
        loop {
            let name = queue.clone();
            let mut received = self
                .write("receive", move |tx| receive(tx, &name, request))
                .await?;
            set_aside += received.set_aside;
            if !received.deliveries.is_empty() || Instant::now() >= deadline {
                received.set_aside = set_aside;
                return Ok(received);
            }
            // The end of the wait is no error: one last look follows.
            let _ended = timeout_at(deadline, self.engine.sleepers.sleep(queue)).await;
        }
    }

    async fn extend(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        lease: Duration,
    ) -> Result<Vec<Settled>> {
        check_lease("extend", lease)?;
        check_count("extend", receipts.len(), &self.limits())?;
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        let (queue, receipts) = (queue.clone(), receipts.to_vec());
        self.write("extend", move |tx| extend(tx, &queue, &receipts, lease))
            .await
    }

    async fn settle(&self, queue: &QueueName, batch: &[Settlement]) -> Result<Vec<Settled>> {
        check_settlements("settle", batch, &self.limits())?;
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (queue, batch) = (queue.clone(), batch.to_vec());
        self.write("settle", move |tx| settle(tx, &queue, &batch))
            .await
    }
}
