//! Workers of a bench: processes where the store is shared, tasks where it is not.
//!
//! Both take the same [`Order`]s and say the same things, so that a scenario does not know which
//! it has.

mod crew;
mod desk;
mod order;
mod process;
mod serve;
mod work;

use longshore::Connection;
use tokio::sync::mpsc;

pub(crate) use crew::Crew;
pub(crate) use order::{Order, Said};
pub(crate) use process::child;

use desk::work_off;
use process::Process;

use super::place::Place;
use super::scratch::Scratch;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// How many orders and answers may wait in a channel.
const PENDING: usize = 64;

/// One worker.
#[derive(Debug)]
pub(crate) struct Hand {
    orders: mpsc::Sender<Order>,
    said: mpsc::Receiver<Said>,
    /// Ends the process with the hand.
    _process: Option<Process>,
}

impl Hand {
    /// A worker on a scratch store, ready for orders.
    pub(crate) async fn hire(place: &Place, scratch: &Scratch) -> Result<Self> {
        let mut hand = if place.is_shared() {
            Self::in_process(&scratch.url())?
        } else {
            Self::in_task(scratch.open().await?)
        };
        match hand.next().await? {
            Said::Ready => Ok(hand),
            other => Err(other.unexpected()),
        }
    }

    fn in_process(url: &str) -> Result<Self> {
        let (orders, to_write) = mpsc::channel(PENDING);
        let (heard, said) = mpsc::channel(PENDING);
        let process = Process::start(url, to_write, heard)?;
        Ok(Self {
            orders,
            said,
            _process: Some(process),
        })
    }

    fn in_task(connection: Connection) -> Self {
        let (orders, taken) = mpsc::channel(PENDING);
        let (says, said) = mpsc::channel(PENDING);
        tokio::spawn(work_off(connection, taken, says));
        Self {
            orders,
            said,
            _process: None,
        }
    }

    /// Gives an order.
    pub(crate) async fn order(&self, order: Order) -> Result<()> {
        self.orders.send(order).await.map_err(|_| gone())
    }

    /// What it says next.
    pub(crate) async fn next(&mut self) -> Result<Said> {
        match self.said.recv().await {
            Some(Said::Failed { sentence }) => Err(CliError::new(Exit::Failed, sentence)),
            Some(said) => Ok(said),
            None => Err(gone()),
        }
    }

    /// Gives an order and waits for the answer.
    pub(crate) async fn ask(&mut self, order: Order) -> Result<Said> {
        self.order(order).await?;
        self.next().await
    }
}

fn gone() -> CliError {
    CliError::new(
        Exit::Failed,
        "a worker of the bench ended early; its own message is above",
    )
}
