//! The conformance suite on the in-process store, plain and behind the wrapper for faults.

mod opened;

use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use longshore_conformance::{FaultStore, Harness, Subject};
use longshore_core::{Backend, ManualClock, NewMessage, QueueName};

use opened::Memory;

/// The memory store behind a wrapper that nobody planned a fault for: it must change nothing.
struct Wrapped;

#[async_trait]
impl Harness for Wrapped {
    fn name(&self) -> &'static str {
        "memory_behind_faults"
    }

    async fn open(&self, clock: Arc<ManualClock>) -> Box<dyn Subject> {
        Box::new(WrappedSubject(Memory.open(clock).await))
    }

    fn model(&self, clock: Arc<ManualClock>) -> Backend {
        Memory.model(clock)
    }

    fn property_cases(&self) -> u32 {
        16
    }
}

struct WrappedSubject(Box<dyn Subject>);

#[async_trait]
impl Subject for WrappedSubject {
    fn backend(&self) -> Backend {
        FaultStore::wrap(self.0.backend()).0
    }

    async fn reopen(&self) -> Backend {
        FaultStore::wrap(self.0.reopen().await).0
    }

    async fn plant(&self, queue: &QueueName, new: &NewMessage, head: Vec<u8>, body: Vec<u8>) {
        self.0.plant(queue, new, head, body).await;
    }
}

fn main() -> ExitCode {
    longshore_conformance::main(vec![Ok(Arc::new(Memory)), Ok(Arc::new(Wrapped))])
}
