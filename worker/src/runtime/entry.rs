//! Who works a kind.

use std::sync::{Arc, OnceLock};

use longshore_core::{JobKind, QueueName};
use tokio::sync::Semaphore;

use crate::runtime::observe::meters::JobMeters;
use crate::worker::ProcessorSetup;
use crate::{Processor, ProcessorOptions};

/// A processor of one queue, with what it counts.
#[derive(Debug)]
pub(crate) struct Entry {
    queue: QueueName,
    kind: Option<JobKind>,
    pub(crate) processor: Arc<dyn Processor>,
    pub(crate) options: ProcessorOptions,
    /// Bounds how many run at a time, where that is less than the queue's slots.
    pub(crate) permits: Option<Arc<Semaphore>>,
    meters: OnceLock<JobMeters>,
}

impl Entry {
    /// An entry of a queue that has so many slots.
    pub(crate) fn new(queue: &QueueName, slots: usize, setup: ProcessorSetup) -> Self {
        let limit = setup.options.concurrency.filter(|jobs| *jobs < slots);
        Self {
            queue: queue.clone(),
            kind: setup.kind,
            processor: setup.processor,
            permits: limit.map(|jobs| Arc::new(Semaphore::new(jobs))),
            options: setup.options,
            meters: OnceLock::new(),
        }
    }

    /// The metrics, looked up at the first use: by then a recorder is installed.
    pub(crate) fn meters(&self) -> &JobMeters {
        self.meters
            .get_or_init(|| JobMeters::new(&self.queue, self.kind.as_ref()))
    }
}
