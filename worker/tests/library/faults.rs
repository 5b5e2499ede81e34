//! A store behind faults: calls that fail before or after their effect, or hang.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use longshore::core::{
    Enqueued, NewMessage, QueueName, QueueStore, Receipt, Receive, Received, Result, Settled,
    Settlement, StoreError, StoreErrorKind, StoreLimits,
};
use longshore::{Connection, OpenOptions};

/// What happens to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The store is away; nothing happened.
    Away,
    /// The call had its effect, its answer is lost.
    AfterEffect,
    /// Refused for good.
    Refused,
    /// No answer ever comes.
    Hangs,
    /// The answer takes this long.
    Slow(Duration),
}

/// The faults to come, call by call; a call without one goes through.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    planned: Mutex<HashMap<&'static str, VecDeque<Fault>>>,
    always: Mutex<HashMap<&'static str, Fault>>,
    calls: Mutex<HashMap<&'static str, u64>>,
}

impl Faults {
    pub(crate) fn plan(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        let mut planned = self.planned.lock().unwrap();
        planned.insert(operation, faults.into_iter().collect());
    }

    /// From now on every call, or with `None` no call any more.
    pub(crate) fn always(&self, operation: &'static str, fault: Option<Fault>) {
        let mut always = self.always.lock().unwrap();
        match fault {
            Some(fault) => always.insert(operation, fault),
            None => always.remove(operation),
        };
    }

    pub(crate) fn calls(&self, operation: &'static str) -> u64 {
        let calls = self.calls.lock().unwrap();
        calls.get(operation).copied().unwrap_or(0)
    }

    /// The same store behind these faults.
    pub(crate) fn around(self: &Arc<Self>, connection: &Connection) -> Connection {
        let mut backend = connection.backend().clone();
        backend.queues = Arc::new(Faulty {
            inner: backend.queues,
            faults: self.clone(),
        });
        let mut options = OpenOptions::default();
        options.clock = Some(connection.clock().clone());
        options.call_timeout = Duration::from_secs(1);
        Connection::of(connection.url().clone(), backend, &options)
    }

    fn next(&self, operation: &'static str) -> Option<Fault> {
        *self.calls.lock().unwrap().entry(operation).or_default() += 1;
        let mut planned = self.planned.lock().unwrap();
        let next = planned.get_mut(operation).and_then(VecDeque::pop_front);
        next.or_else(|| self.always.lock().unwrap().get(operation).copied())
    }
}

#[derive(Debug)]
struct Faulty {
    inner: Arc<dyn QueueStore>,
    faults: Arc<Faults>,
}

impl Faulty {
    async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        match self.faults.next(operation) {
            None => call.await,
            Some(Fault::Away) => Err(error(StoreErrorKind::Unavailable, operation)),
            Some(Fault::Refused) => Err(error(StoreErrorKind::Unexpected, operation)),
            Some(Fault::AfterEffect) => {
                call.await?;
                Err(error(StoreErrorKind::Timeout, operation).effect_unknown())
            }
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::Slow(span)) => {
                tokio::time::sleep(span).await;
                call.await
            }
        }
    }
}

fn error(kind: StoreErrorKind, operation: &'static str) -> StoreError {
    StoreError::new(kind, operation, "a planned fault")
}

#[async_trait]
impl QueueStore for Faulty {
    fn limits(&self) -> StoreLimits {
        self.inner.limits()
    }

    async fn enqueue(&self, queue: &QueueName, batch: &[NewMessage]) -> Result<Vec<Enqueued>> {
        self.call("enqueue", self.inner.enqueue(queue, batch)).await
    }

    async fn receive(&self, queue: &QueueName, request: Receive) -> Result<Received> {
        self.call("receive", self.inner.receive(queue, request))
            .await
    }

    async fn extend(
        &self,
        queue: &QueueName,
        receipts: &[Receipt],
        lease: Duration,
    ) -> Result<Vec<Settled>> {
        self.call("extend", self.inner.extend(queue, receipts, lease))
            .await
    }

    async fn settle(&self, queue: &QueueName, batch: &[Settlement]) -> Result<Vec<Settled>> {
        self.call("settle", self.inner.settle(queue, batch)).await
    }
}
