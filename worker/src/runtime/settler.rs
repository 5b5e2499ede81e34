//! Settles deliveries in batches, by whatever has gathered while the last call was under way.

use std::sync::Arc;

use longshore_core::Settlement;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::conclude::Conclusion;
use super::queue_runtime::{Entry, QueueRuntime};
use super::running_jobs::Job;
use super::settle_rounds::settle_all;
use crate::hooks::{DeadEvent, RetryEvent};

/// So many settlements may wait; beyond it jobs keep their slots until there is room.
const WAITING_MAX: usize = 4096;
/// How often the settler lets other tasks run to gather more before it calls the store.
const GATHER_TURNS: usize = 3;

/// What a settlement means for counts, hooks and logs.
#[derive(Debug)]
pub(crate) enum Fate {
    Acked,
    Retried(Box<RetryEvent>),
    Dead(Box<DeadEvent>),
    Released,
    /// Released because no handler takes its kind.
    Unserved,
}

/// What goes with a settlement on its way.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) fate: Fate,
    pub(crate) entry: Option<Arc<Entry>>,
    /// From then on the lease has surely ended and the settlement is pointless.
    pub(crate) lease_over: Instant,
    /// An earlier try may have had its effect: a repeat that is told "too late" was in time then.
    pub(crate) maybe_applied: bool,
}

#[derive(Debug)]
enum Command {
    Settle(Settlement, Note),
    Flush(oneshot::Sender<()>),
    Close,
}

/// Where settlements are handed in.
#[derive(Clone, Debug)]
pub(crate) struct SettlerHandle(mpsc::Sender<Command>);

/// Where they come out.
#[derive(Debug)]
pub(crate) struct Inbox(mpsc::Receiver<Command>);

pub(crate) fn settler() -> (SettlerHandle, Inbox) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (SettlerHandle(sender), Inbox(receiver))
}

impl SettlerHandle {
    /// Hands in how a delivery ends; waits where too many wait already.
    pub(crate) async fn settle(&self, queue: &QueueRuntime, job: &Job, conclusion: Conclusion) {
        let entry = Some(job.entry.clone());
        let lease_over = job.context.state.granted() + queue.lease;
        let note = Note {
            fate: conclusion.fate,
            entry,
            lease_over,
            maybe_applied: false,
        };
        let settlement = Settlement {
            receipt: job.context.delivery.receipt.clone(),
            disposition: conclusion.disposition,
        };
        self.send(settlement, note).await;
    }

    /// The same for a delivery that was never taken into hands.
    pub(crate) async fn send(&self, settlement: Settlement, note: Note) {
        // It is closed only when the worker exits at once: then the lease is left to end.
        let _ = self.0.send(Command::Settle(settlement, note)).await;
    }

    /// Waits until everything handed in so far is settled or given up.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.0.send(Command::Flush(done)).await.is_ok() {
            let _ = flushed.await;
        }
    }

    /// Ends the settler after what was handed in so far.
    pub(crate) async fn close(&self) {
        let _ = self.0.send(Command::Close).await;
    }
}

impl Inbox {
    /// Settles until it is closed.
    pub(crate) async fn run(mut self, queue: Arc<QueueRuntime>) {
        let limits = queue.shared.connection.backend().queues.limits();
        let batch_max = limits.batch_max.get() as usize;
        let mut commands = Vec::with_capacity(batch_max.min(1024));
        let mut batch = Batch::default();
        while self.0.recv_many(&mut commands, batch_max).await > 0 {
            self.gather(&queue, &mut commands, batch_max).await;
            for command in commands.drain(..) {
                match command {
                    Command::Settle(settlement, note) => {
                        batch.settlements.push(settlement);
                        batch.notes.push(note);
                    }
                    Command::Flush(done) => {
                        settle_all(&queue, &mut batch).await;
                        let _ = done.send(());
                    }
                    Command::Close => {
                        settle_all(&queue, &mut batch).await;
                        return;
                    }
                }
            }
            settle_all(&queue, &mut batch).await;
        }
    }

    /// Lets jobs that are about to end join this batch: a store call costs more than a moment.
    async fn gather(&mut self, queue: &QueueRuntime, commands: &mut Vec<Command>, max: usize) {
        for _ in 0..GATHER_TURNS {
            if queue.running.count() == 0 || commands.len() >= max {
                break;
            }
            tokio::task::yield_now().await;
        }
        while commands.len() < max
            && let Ok(command) = self.0.try_recv()
        {
            commands.push(command);
        }
    }
}

/// Settlements and what goes with each, at the same place.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) settlements: Vec<Settlement>,
    pub(crate) notes: Vec<Note>,
}
