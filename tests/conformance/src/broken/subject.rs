//! A harness whose stores have a flaw.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_core::{Backend, ManualClock, NewMessage, QueueName};

use super::Flaw;
use super::store::{Broken, Receipts};
use crate::{Harness, Subject};

/// Opens the stores of another harness, each behind a flaw.
pub(super) struct BrokenHarness {
    pub(super) good: Arc<dyn Harness>,
    pub(super) flaw: Flaw,
}

#[async_trait]
impl Harness for BrokenHarness {
    fn name(&self) -> &'static str {
        "broken"
    }

    async fn open(&self, clock: Arc<ManualClock>) -> Box<dyn Subject> {
        Box::new(BrokenSubject {
            good: self.good.open(clock).await,
            flaw: self.flaw,
            receipts: Receipts::default(),
        })
    }

    fn model(&self, clock: Arc<ManualClock>) -> Backend {
        self.good.model(clock)
    }

    fn property_cases(&self) -> u32 {
        self.good.property_cases()
    }
}

struct BrokenSubject {
    good: Box<dyn Subject>,
    flaw: Flaw,
    receipts: Receipts,
}

impl BrokenSubject {
    fn wrap(&self, inner: Backend) -> Backend {
        Backend::of(Arc::new(Broken {
            inner,
            flaw: self.flaw,
            receipts: self.receipts.clone(),
        }))
    }
}

#[async_trait]
impl Subject for BrokenSubject {
    fn backend(&self) -> Backend {
        self.wrap(self.good.backend())
    }

    async fn reopen(&self) -> Backend {
        self.wrap(self.good.reopen().await)
    }

    async fn plant(&self, queue: &QueueName, new: &NewMessage, head: Vec<u8>, body: Vec<u8>) {
        self.good.plant(queue, new, head, body).await;
    }
}
