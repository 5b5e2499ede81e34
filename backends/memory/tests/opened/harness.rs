//! Opens memory stores for cases.

use std::sync::Arc;

use async_trait::async_trait;
use longshore_conformance::{Harness, Subject};
use longshore_core::{Backend, ManualClock, NewMessage, QueueName, QueueStore};
use longshore_memory::MemoryStore;

/// Opens a new store for each case.
#[derive(Debug)]
pub(crate) struct Memory;

#[async_trait]
impl Harness for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn open(&self, clock: Arc<ManualClock>) -> Box<dyn Subject> {
        Box::new(Opened(Arc::new(MemoryStore::new(clock))))
    }

    fn model(&self, clock: Arc<ManualClock>) -> Backend {
        Arc::new(MemoryStore::new(clock)).backend()
    }

    fn property_cases(&self) -> u32 {
        256
    }
}

struct Opened(Arc<MemoryStore>);

#[async_trait]
impl Subject for Opened {
    fn backend(&self) -> Backend {
        self.0.clone().backend()
    }

    /// Every handle of a memory store is the store itself.
    async fn reopen(&self) -> Backend {
        self.backend()
    }

    async fn plant(&self, queue: &QueueName, new: &NewMessage, head: Vec<u8>, body: Vec<u8>) {
        let stored = self.0.enqueue(queue, std::slice::from_ref(new)).await;
        stored.expect("enqueue");
        assert!(self.0.overwrite(queue, new.id, head.into(), body.into()));
    }
}
