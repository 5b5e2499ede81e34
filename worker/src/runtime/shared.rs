//! What all queues of a worker share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::Connection;
use crate::hooks::Hooks;
use crate::runtime::identity::Identity;
use crate::runtime::observe::counters::Counters;
use crate::runtime::receive::quarantine::Gate;
use crate::runtime::settle::handle::SettlerHandle;
use crate::runtime::shutdown::phases::Phases;
use crate::worker::Setup;

/// One for each worker.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) connection: Connection,
    pub(crate) identity: Identity,
    /// One permit per running job; equals the running count at every await.
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) concurrency: usize,
    /// How many queues share the slots.
    pub(crate) queue_count: usize,
    pub(crate) idle_wait: Duration,
    pub(crate) drain: Duration,
    pub(crate) gate: Gate,
    pub(crate) counters: Counters,
    pub(crate) hooks: Hooks,
    pub(crate) phases: Phases,
    pub(crate) jobs: TaskTracker,
    pub(crate) settlers: OnceLock<Vec<SettlerHandle>>,
    /// Heartbeats are counted from here.
    pub(crate) born: Instant,
}

impl Shared {
    pub(crate) fn new(setup: &mut Setup) -> Self {
        let started_at = setup.connection.clock().now();
        Self {
            identity: Identity::new(setup.name.as_deref(), started_at),
            connection: setup.connection.clone(),
            slots: Arc::new(Semaphore::new(setup.concurrency)),
            concurrency: setup.concurrency,
            queue_count: setup.queues.len(),
            idle_wait: setup.idle_wait,
            drain: setup.drain,
            gate: Gate::default(),
            counters: Counters::default(),
            hooks: std::mem::take(&mut setup.hooks),
            phases: Phases::default(),
            jobs: TaskTracker::new(),
            settlers: OnceLock::new(),
            born: Instant::now(),
        }
    }
}
