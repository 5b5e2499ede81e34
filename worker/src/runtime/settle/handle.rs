//! Where settlements are handed in, on their way to the store.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::Settlement;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::runtime::entry::Entry;
use crate::runtime::job::running::Job;
use crate::runtime::settle::conclusion::{Conclusion, Fate};

/// Maximum settlements that wait; beyond it jobs keep their slots until there is room.
const WAITING_MAX: usize = 4096;

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

/// What a settler is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    Settle(Settlement, Note),
    Flush(oneshot::Sender<()>),
    Close,
}

/// Where settlements are handed in.
#[derive(Clone, Debug)]
pub(crate) struct SettlerHandle(mpsc::Sender<Command>);

/// Where they come out.
#[derive(Debug)]
pub(crate) struct Inbox(pub(super) mpsc::Receiver<Command>);

pub(crate) fn settler() -> (SettlerHandle, Inbox) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (SettlerHandle(sender), Inbox(receiver))
}

impl SettlerHandle {
    /// Hands in how a delivery ends that is leased for `lease` at a time; waits where too many
    /// wait already.
    pub(crate) async fn settle(&self, lease: Duration, job: &Job, conclusion: Conclusion) {
        let entry = Some(job.entry.clone());
        let lease_over = job.context.state.granted() + lease;
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
