//! A worker as it was described, checked and complete.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{JobKind, QueueName};

use crate::aggregate::Release;
use crate::hooks::Hooks;
use crate::{Connection, Processor, ProcessorOptions};

/// Everything a run needs to know.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) connection: Connection,
    pub(crate) name: Option<String>,
    pub(crate) concurrency: usize,
    pub(crate) drain: Duration,
    pub(crate) idle_wait: Duration,
    pub(crate) hooks: Hooks,
    pub(crate) queues: Vec<QueueSetup>,
    pub(crate) releases: Vec<Arc<Release>>,
}

/// One queue of a worker.
#[derive(Debug)]
pub(crate) struct QueueSetup {
    pub(crate) name: QueueName,
    pub(crate) lease: Duration,
    pub(crate) concurrency: usize,
    pub(crate) processors: Vec<ProcessorSetup>,
}

/// Who works which kind; `None` works what nobody else takes.
#[derive(Debug)]
pub(crate) struct ProcessorSetup {
    pub(crate) kind: Option<JobKind>,
    pub(crate) processor: Arc<dyn Processor>,
    pub(crate) options: ProcessorOptions,
}
