//! What runs until the worker is told to stop.

use std::future::Future;
use std::time::Duration;

use longshore::Connection;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::order::Said;
use super::work;
use crate::bench::load::Load;
use crate::bench::meter::Moment;
use crate::bench::pump;
use crate::error::Result;

/// How long one receive waits: how long a stop may take.
const WAIT: Duration = Duration::from_millis(500);

/// Something that runs until it is told to stop.
#[derive(Debug)]
pub(super) struct Serving {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Receives and acks by plain calls; each message is told when its ack is applied.
    pub(super) fn serve(
        connection: Connection,
        load: Load,
        batch: u32,
        says: mpsc::Sender<Said>,
    ) -> Self {
        Self::start(says.clone(), |stop| async move {
            serve(&connection, load, batch, &says, stop).await
        })
    }

    /// Runs a whole worker; each message is told when its handler has it.
    pub(super) fn attend(connection: Connection, load: Load, says: mpsc::Sender<Said>) -> Self {
        Self::start(says.clone(), |mut stop| async move {
            // An error means that the sender is gone: then it is over, too.
            let stopped = async { stop.wait_for(|stop| *stop).await.map_or((), drop) };
            work::attend(connection, load, says, stopped).await
        })
    }

    fn start<F>(says: mpsc::Sender<Said>, run: impl FnOnce(watch::Receiver<bool>) -> F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        let running = run(stopped);
        let task = tokio::spawn(async move {
            if let Err(error) = running.await {
                // Nobody listening means nobody to tell.
                let _ = says.send(Said::from(error)).await;
            }
        });
        Self { stop, task }
    }

    /// Ends it, the calls that run included.
    pub(super) async fn stop(self) -> Result<()> {
        self.stop.send_replace(true);
        self.task
            .await
            .map_err(|_| pump::wrong("the task that serves the queue ended early"))
    }
}

async fn serve(
    connection: &Connection,
    load: Load,
    batch: u32,
    says: &mpsc::Sender<Said>,
    stop: watch::Receiver<bool>,
) -> Result<()> {
    let store = connection.backend().queues.as_ref();
    let queue = pump::queue()?;
    // The sender is gone when the worker is: then nobody will say stop any more.
    while !*stop.borrow() && stop.has_changed().is_ok() {
        let taken = pump::receive(store, &queue, batch, WAIT).await?;
        if taken.is_empty() {
            continue;
        }
        let at = Moment::now();
        let ids = taken.iter().map(|delivery| delivery.message.id);
        let numbers: Vec<_> = ids.map(|id| load.number(id)).collect();
        pump::ack(store, &queue, taken).await?;
        let settled = Some(Moment::now());
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
