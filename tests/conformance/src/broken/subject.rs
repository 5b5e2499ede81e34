//! A harness whose stores have a flaw.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_core::{Backend, ManualClock, NewMessage, QueueName};

use super::aggregates::{BrokenAggregates, EpochReceipts};
use super::store::{Broken, Receipts};
use super::{AggregateFlaw, Flaw};
use crate::{Harness, Subject};

/// What is broken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Breaks {
    Queues(Flaw),
    Aggregates(AggregateFlaw),
}

/// Opens the stores of another harness, each behind a flaw.
pub(super) struct BrokenHarness {
    pub(super) good: Arc<dyn Harness>,
    pub(super) flaw: Breaks,
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
            epoch_receipts: EpochReceipts::default(),
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
    flaw: Breaks,
    receipts: Receipts,
    epoch_receipts: EpochReceipts,
}

impl BrokenSubject {
    fn wrap(&self, inner: Backend) -> Backend {
        match self.flaw {
            Breaks::Queues(flaw) => Backend::of(Arc::new(Broken {
                inner,
                flaw,
                receipts: self.receipts.clone(),
            })),
            Breaks::Aggregates(flaw) => {
                let aggregates = inner.aggregates().expect("a good store has aggregates");
                let aggregates = BrokenAggregates {
                    inner: aggregates.clone(),
                    flaw,
                    receipts: self.epoch_receipts.clone(),
                };
                inner.with_aggregates(Arc::new(aggregates))
            }
        }
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
