//! Works off orders, one after the other, in whichever process it runs.

use longshore::Connection;
use tokio::sync::mpsc;

use super::order::{Order, Said};
use super::serve::Serving;
use super::work;
use crate::bench::meter::{self, Moment};
use crate::bench::pump;
use crate::bench::tally::Tally;
use crate::error::Result;

/// Works off orders until there are no more, or one fails.
pub(crate) async fn work_off(
    connection: Connection,
    mut orders: mpsc::Receiver<Order>,
    says: mpsc::Sender<Said>,
) {
    let mut desk = Desk {
        connection,
        says: says.clone(),
        serving: None,
    };
    let mut answer = Some(Said::Ready);
    loop {
        if let Some(answer) = answer
            && says.send(answer).await.is_err()
        {
            return;
        }
        let Some(order) = orders.recv().await else {
            return;
        };
        match desk.carry_out(order).await {
            Ok(next) => answer = next,
            Err(error) => {
                // Nobody listening means nobody to tell.
                let _ = says.send(Said::from(error)).await;
                return;
            }
        }
    }
}

struct Desk {
    connection: Connection,
    says: mpsc::Sender<Said>,
    serving: Option<Serving>,
}

impl Desk {
    /// The answer, unless it comes later.
    async fn carry_out(&mut self, order: Order) -> Result<Option<Said>> {
        let store = self.connection.backend().queues.as_ref();
        match order {
            Order::Fill {
                load,
                from,
                to,
                batch,
                under_way,
            } => {
                let span = pump::fill_by(under_way, store, &load, from..to, batch).await?;
                Ok(Some(Said::Filled { span }))
            }
            Order::Drain {
                load,
                messages,
                batch,
            } => {
                let mut tally = Tally::new(messages);
                let (span, batches) = pump::drain(store, &load, batch, &mut tally).await?;
                Ok(Some(Said::Drained {
                    span,
                    tally,
                    slow_us: batches.p99_micros(),
                }))
            }
            Order::Work {
                load,
                messages,
                concurrency,
            } => {
                let connection = self.connection.clone();
                let worked = work::work(connection, load, messages, concurrency).await?;
                let (span, tally) = worked;
                Ok(Some(Said::Drained {
                    span,
                    tally,
                    slow_us: 0,
                }))
            }
            Order::Serve { load, batch } => {
                let (connection, says) = (self.connection.clone(), self.says.clone());
                self.serving = Some(Serving::serve(connection, load, batch, says));
                Ok(None)
            }
            Order::Attend { load } => {
                let (connection, says) = (self.connection.clone(), self.says.clone());
                self.serving = Some(Serving::attend(connection, load, says));
                Ok(None)
            }
            Order::Stop => {
                if let Some(serving) = self.serving.take() {
                    serving.stop().await?;
                }
                Ok(Some(Said::Stopped))
            }
            Order::Usage => Ok(Some(Said::Usage {
                processor_ns: u64::try_from(meter::processor_time().as_nanos()).unwrap_or(u64::MAX),
                peak_bytes: meter::peak_memory(),
                at: Moment::now(),
            })),
        }
    }
}
