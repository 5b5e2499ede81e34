//! Where a case plays: a fresh store, its clock, a queue, and the calls in short form.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{
    Backend, Clock, Cursor, Delivery, Enqueued, Found, GivenIdRepeat, ManualClock, MessageId,
    NewMessage, Page, QueueName, QueueStats, Receipt, Receive, Received, Result, StoreError,
    StoredMessage, Timestamp,
};

use crate::Subject;

/// How long a lease is where the case does not say.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// A fresh store with one queue to play with. Calls that must succeed fail the case otherwise.
pub struct Stage {
    pub(crate) subject: Box<dyn Subject>,
    pub(crate) store: Backend,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) queue: QueueName,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("queue", &self.queue)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

impl Stage {
    pub(crate) fn new(subject: Box<dyn Subject>, clock: Arc<ManualClock>) -> Self {
        Self {
            store: subject.backend(),
            subject,
            clock,
            queue: name("work"),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, span: Duration) {
        self.clock.advance(span);
    }

    pub(crate) async fn try_enqueue(&self, batch: &[NewMessage]) -> Result<Vec<Enqueued>> {
        self.store.queues.enqueue(&self.queue, batch).await
    }

    /// What a repeat of a given id answers: a store may collapse the copies at delivery instead
    /// of telling.
    pub(crate) fn repeat_of(&self, first: MessageId) -> Enqueued {
        match self.store.queues.limits().given_id_repeat {
            GivenIdRepeat::CollapsedAtDelivery => Enqueued::Stored,
            _ => Enqueued::Duplicate { first },
        }
    }

    pub(crate) async fn enqueue(&self, batch: &[NewMessage]) -> Vec<Enqueued> {
        self.try_enqueue(batch).await.expect("enqueue")
    }

    /// Enqueues messages that must all be stored.
    pub(crate) async fn put(&self, batch: &[NewMessage]) {
        let outcomes = self.enqueue(batch).await;
        assert_eq!(outcomes, vec![Enqueued::Stored; batch.len()]);
    }

    /// One receive that does not wait. What another handle owns the store gets within its
    /// declared bound, however short the wait is.
    pub(crate) async fn receive(&self, max: u32, lease: Duration) -> Received {
        self.receive_at(&self.store, max, lease).await
    }

    pub(crate) async fn receive_at(&self, at: &Backend, max: u32, lease: Duration) -> Received {
        let request = Receive {
            batch_max: count(max),
            lease,
            wait_max: Duration::ZERO,
        };
        at.queues
            .receive(&self.queue, request)
            .await
            .expect("receive")
    }

    /// Receives until there are `max` deliveries or no more: one receive may answer fewer.
    pub(crate) async fn take(&self, max: u32) -> Vec<Delivery> {
        self.take_at(&self.store, max).await
    }

    pub(crate) async fn take_at(&self, at: &Backend, max: u32) -> Vec<Delivery> {
        let mut taken = Vec::new();
        while let Some(left) = NonZeroU32::new(max - taken.len() as u32) {
            let received = self.receive_at(at, left.get(), LEASE).await;
            assert!(received.deliveries.len() <= left.get() as usize);
            if received.deliveries.is_empty() {
                break;
            }
            taken.extend(received.deliveries);
        }
        taken
    }

    /// Receives one message that must be there.
    pub(crate) async fn take_one(&self) -> Delivery {
        self.take(1).await.pop().expect("a message to receive")
    }

    /// Checks that nothing can be received now.
    pub(crate) async fn nothing(&self) {
        let taken = self.take(1).await;
        assert!(taken.is_empty(), "handed out: {:?}", bodies(&taken));
    }

    pub(crate) async fn stats(&self) -> QueueStats {
        self.stats_of(&self.queue).await.expect("the queue exists")
    }

    pub(crate) async fn stats_of(&self, queue: &QueueName) -> Option<QueueStats> {
        self.store.admin.stats(queue).await.expect("stats")
    }

    /// How many are waiting, delayed, leased and dead.
    pub(crate) async fn counts(&self) -> [u64; 4] {
        let stats = self.stats().await;
        [stats.waiting, stats.delayed, stats.leased, stats.dead]
    }

    pub(crate) async fn find(&self, id: MessageId) -> Option<StoredMessage> {
        match self.store.admin.find(&self.queue, id).await.expect("find") {
            Found::Message(message) => Some(*message),
            _ => None,
        }
    }

    /// A message that must be there, live or dead.
    pub(crate) async fn found(&self, id: MessageId) -> StoredMessage {
        self.find(id).await.expect("the message is there")
    }

    /// All dead letters, in pages of `max`.
    pub(crate) async fn dead_in_pages(&self, max: u32) -> Vec<StoredMessage> {
        let mut all = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let admin = &self.store.admin;
            let page = admin.dead_letters(&self.queue, after.as_ref(), count(max));
            after = follow(page.await.expect("dead_letters"), max, &mut all);
            if after.is_none() {
                return all;
            }
        }
    }

    pub(crate) async fn dead(&self) -> Vec<StoredMessage> {
        self.dead_in_pages(100).await
    }

    /// All live messages, in pages of `max`.
    pub(crate) async fn peek_in_pages(&self, max: u32) -> Vec<StoredMessage> {
        let mut all = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = self
                .store
                .admin
                .peek(&self.queue, after.as_ref(), count(max));
            after = follow(page.await.expect("peek"), max, &mut all);
            if after.is_none() {
                return all;
            }
        }
    }

    /// Everything that `export` gives, in pages of `max`.
    pub(crate) async fn export_in_pages(&self, max: u32) -> Vec<StoredMessage> {
        let mut all = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = self
                .store
                .admin
                .export(&self.queue, after.as_ref(), count(max));
            after = follow(page.await.expect("export"), max, &mut all);
            if after.is_none() {
                return all;
            }
        }
    }
}

/// Adds a page to what was read, and answers where the next one begins.
fn follow<T>(page: Page<T>, max: u32, all: &mut Vec<T>) -> Option<Cursor> {
    assert!(page.items.len() <= max as usize, "a page is too long");
    if let Some(next) = &page.next {
        assert!(!next.as_str().is_empty(), "a cursor is empty");
        assert!(!page.items.is_empty(), "an empty page goes on");
    }
    all.extend(page.items);
    page.next
}

/// A queue name.
pub(crate) fn name(text: &str) -> QueueName {
    QueueName::new(text).expect("a queue name")
}

/// A positive number.
pub(crate) fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("a positive number")
}

/// The bodies as text, in order.
pub(crate) fn bodies(deliveries: &[Delivery]) -> Vec<String> {
    let body = |one: &Delivery| String::from_utf8_lossy(&one.message.body).into_owned();
    deliveries.iter().map(body).collect()
}

/// The ids of new messages, in order.
pub(crate) fn ids(batch: &[NewMessage]) -> Vec<MessageId> {
    batch.iter().map(|new| new.id).collect()
}

/// The receipts, in order.
pub(crate) fn receipts(deliveries: &[Delivery]) -> Vec<Receipt> {
    deliveries.iter().map(|one| one.receipt.clone()).collect()
}

/// The error of a call that must be refused without effect.
pub(crate) fn refused<T: fmt::Debug>(answer: Result<T>) -> StoreError {
    let error = answer.expect_err("the call is refused");
    assert_eq!(error.effect(), longshore_core::Effect::NotApplied);
    error
}
