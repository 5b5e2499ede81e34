//! The store and its data plane.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::validate::{check_count, check_lease, check_settlements};
use longshore_core::{
    Clock, Enqueued, NewMessage, QueueName, QueueStore, Receipt, Receive, Received, Result,
    Settled, Settlement, StoreError, StoreErrorKind, StoreLimits,
};
use rusqlite::Connection;
use tokio::time::{Instant, timeout_at};

use crate::clock::moment::Moment;
use crate::config::{Config, SPAN_MAX};
use crate::database::handle::Database;
use crate::database::transaction::Tx;
use crate::enqueue::enqueue;
use crate::error::Outcome;
use crate::file::host::Host;
use crate::receive::receive;
use crate::settle::{extend, settle};

/// A handle on a file. All handles of a process on one file share their connections.
#[derive(Debug)]
pub struct SqliteStore {
    /// Replaced where the file at the path was.
    database: RwLock<Arc<Database>>,
    clock: Arc<dyn Clock>,
    config: Config,
    host: Host,
}

impl SqliteStore {
    /// A handle on an open file.
    pub(crate) fn new(
        database: Arc<Database>,
        config: Config,
        clock: Arc<dyn Clock>,
        host: Host,
    ) -> Self {
        Self {
            database: RwLock::new(database),
            clock,
            config,
            host,
        }
    }

    /// The open file.
    pub(crate) fn current(&self) -> Arc<Database> {
        let database = self.database.read();
        database.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The moment that is now, by the clocks of the open file.
    pub(crate) fn now(&self) -> Moment {
        self.current().clocks.now()
    }

    /// The open file, opened again where the one at the path is another one by now.
    async fn database(&self, operation: &'static str) -> Result<Arc<Database>> {
        let database = self.current();
        let Some(gone) = database.presence.recent().cloned() else {
            return Ok(database);
        };
        // A file that was taken away is not made again: it may be about to be put back.
        let config = Config {
            create: false,
            ..self.config.clone()
        };
        let (clock, host) = (self.clock.clone(), self.host.clone());
        let opening = tokio::task::spawn_blocking(move || {
            // What was open is closed here, since that may take a while.
            drop(database);
            Database::open(&config, &clock, host)
        });
        let opened = opening.await.map_err(|error| {
            StoreError::new(
                StoreErrorKind::Unexpected,
                operation,
                "opening the database again stopped",
            )
            .caused_by(error)
        })?;
        let Ok(opened) = opened else {
            return Err(gone.error(operation));
        };
        if let Some(before) = self.replace(&opened) {
            tracing::warn!(
                what = gone.in_words(),
                "the database was opened again; messages of the file before it are not in it"
            );
            let _ = tokio::task::spawn_blocking(move || drop(before)).await;
        }
        Ok(opened)
    }

    /// Goes on with this one; answers the one before it, if another call was not quicker.
    fn replace(&self, opened: &Arc<Database>) -> Option<Arc<Database>> {
        let mut current = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let is_new = !Arc::ptr_eq(&*current, opened);
        is_new.then(|| std::mem::replace(&mut *current, opened.clone()))
    }

    /// Runs `work` in a transaction of the writer.
    pub(crate) async fn write<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Tx<'_>) -> Outcome<T> + Send + 'static,
    {
        let database = self.database(operation).await?;
        let timeout = self.config.call_timeout;
        database.write(operation, timeout, work).await
    }

    /// Reads one consistent state.
    pub(crate) async fn read<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let database = self.database(operation).await?;
        let timeout = self.config.call_timeout;
        database.readers.read(operation, timeout, work).await
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
            let _ended = timeout_at(deadline, self.current().waiters.sleep(queue)).await;
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
