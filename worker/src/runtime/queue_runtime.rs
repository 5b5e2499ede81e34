//! One queue of a running worker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use longshore_core::{Delivery, JobKind, QueueName};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::JobContext;
use crate::job::JobState;
use crate::runtime::entry::Entry;
use crate::runtime::job::group_dead::GroupDead;
use crate::runtime::job::running::{Job, RunningJobs};
use crate::runtime::observe::meters::QueueMeters;
use crate::runtime::receive::release_backoff::Streaks;
use crate::runtime::settle::handle::{Inbox, SettlerHandle, settler};
use crate::runtime::shared::Shared;
use crate::worker::QueueSetup;

/// What fetching, working and settling of one queue share.
#[derive(Debug)]
pub(crate) struct QueueRuntime {
    pub(crate) shared: Arc<Shared>,
    pub(crate) name: QueueName,
    pub(crate) lease: Duration,
    /// One permit per running job of this queue.
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) concurrency: usize,
    kinds: HashMap<JobKind, Arc<Entry>>,
    any: Option<Arc<Entry>>,
    pub(crate) running: RunningJobs,
    pub(crate) settler: SettlerHandle,
    /// Releases in a row because something was away.
    pub(crate) away: Streaks,
    /// Releases in a row for want of a handler.
    pub(crate) unserved: Streaks,
    pub(crate) group_dead: GroupDead,
    /// Nothing is received any more.
    pub(crate) intake_closed: CancellationToken,
    /// Milliseconds from the worker's birth to the last turn of the fetch loop.
    beat: AtomicU64,
    meters: OnceLock<QueueMeters>,
}

impl QueueRuntime {
    pub(crate) fn new(shared: Arc<Shared>, setup: QueueSetup) -> (Arc<Self>, Inbox) {
        let (handle, inbox) = settler();
        let mut kinds = HashMap::new();
        let mut any = None;
        for processor in setup.processors {
            let kind = processor.kind.clone();
            let entry = Arc::new(Entry::new(&setup.name, setup.concurrency, processor));
            match kind {
                Some(kind) => {
                    kinds.insert(kind, entry);
                }
                None => any = Some(entry),
            }
        }
        let queue = Self {
            shared,
            name: setup.name,
            lease: setup.lease,
            slots: Arc::new(Semaphore::new(setup.concurrency)),
            concurrency: setup.concurrency,
            kinds,
            any,
            running: RunningJobs::default(),
            settler: handle,
            away: Streaks::default(),
            unserved: Streaks::default(),
            group_dead: GroupDead::default(),
            intake_closed: CancellationToken::new(),
            beat: AtomicU64::new(0),
            meters: OnceLock::new(),
        };
        (Arc::new(queue), inbox)
    }

    /// Who works this kind: its own processor before the one for every kind.
    pub(crate) fn entry(&self, kind: &JobKind) -> Option<&Arc<Entry>> {
        self.kinds.get(kind).or(self.any.as_ref())
    }

    /// The kinds with a processor of their own; empty if every kind is taken.
    pub(crate) fn kinds(&self) -> Vec<String> {
        if self.any.is_some() {
            return Vec::new();
        }
        let mut kinds: Vec<_> = self.kinds.keys().map(ToString::to_string).collect();
        kinds.sort_unstable();
        kinds
    }

    /// Takes a delivery into this process's hands that was asked for at `asked`.
    pub(crate) fn adopt(&self, delivery: Delivery, entry: &Arc<Entry>, asked: Instant) -> Arc<Job> {
        // The answer may have been read long after it was given, if this process stood still; the
        // store's clock tells how long, and it was not before the question.
        let now = Instant::now();
        let left = delivery
            .leased_until
            .since(self.shared.connection.clock().now());
        let age = self.lease.saturating_sub(left);
        let granted = now - age.min(now.saturating_duration_since(asked));
        let state = JobState::new(delivery.leased_until, granted, Some(self.lease));
        let context = JobContext::of_worker(
            Arc::new(delivery),
            self.name.clone(),
            self.shared.identity.id.clone(),
            self.shared.connection.clone(),
            state,
        );
        self.running.add(context, entry.clone())
    }

    pub(crate) fn meters(&self) -> &QueueMeters {
        self.meters
            .get_or_init(|| QueueMeters::new(&self.name, self.shared.connection.url().scheme()))
    }

    /// The fetch loop is alive.
    pub(crate) fn beat(&self) {
        let millis = self.shared.born.elapsed().as_millis();
        self.beat.store(millis as u64, Ordering::Relaxed);
    }

    pub(crate) fn last_beat(&self) -> Instant {
        self.shared.born + Duration::from_millis(self.beat.load(Ordering::Relaxed))
    }
}
