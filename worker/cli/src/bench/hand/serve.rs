//! Receives and acks what comes, until told to stop.

use std::time::Duration;

use longshore::core::Backend;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::order::Said;
use crate::bench::load::Load;
use crate::bench::meter::Moment;
use crate::bench::pump;
use crate::error::Result;

/// How long one receive waits: how long a stop may take.
const WAIT: Duration = Duration::from_millis(500);

/// A running loop of receives.
#[derive(Debug)]
pub(super) struct Serving {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Starts the loop; it tells each message when its ack is applied.
    pub(super) fn start(
        backend: Backend,
        load: Load,
        batch: u32,
        says: mpsc::Sender<Said>,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let served = serve(backend, load, batch, &says, stopped).await;
            if let Err(error) = served {
                // Nobody listening means nobody to tell.
                let _ = says.send(Said::from(error)).await;
            }
        });
        Self { stop, task }
    }

    /// Ends the loop, the receive that runs included.
    pub(super) async fn stop(self) -> Result<()> {
        self.stop.send_replace(true);
        self.task
            .await
            .map_err(|_| pump::wrong("the task that serves the queue ended early"))
    }
}

async fn serve(
    backend: Backend,
    load: Load,
    batch: u32,
    says: &mpsc::Sender<Said>,
    stopped: watch::Receiver<bool>,
) -> Result<()> {
    let store = backend.queues.as_ref();
    let queue = pump::queue()?;
    // The sender is gone when the worker is: then nobody will say stop any more.
    while !*stopped.borrow() && stopped.has_changed().is_ok() {
        let taken = pump::receive(store, &queue, batch, WAIT).await?;
        if taken.is_empty() {
            continue;
        }
        let at = Moment::now();
        let ids = taken.iter().map(|delivery| delivery.message.id);
        let numbers: Vec<_> = ids.map(|id| load.number(id)).collect();
        pump::ack(store, &queue, taken).await?;
        let settled = Moment::now();
        for number in numbers {
            let said = Said::Taken {
                number,
                at,
                settled,
            };
            if says.send(said).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
