//! One message: its program, its verdict, its settlement.

use std::time::{Duration, Instant};

use longshore::core::{Delivery, Disposition, Settled, Settlement};
use longshore_routes::program::Ended;
use tokio::sync::oneshot;

use super::program;
use super::verdict::release;
use super::work::Shift;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::complain;

/// How long to wait before a settlement is tried again.
const SETTLE_PAUSE: Duration = Duration::from_secs(1);

/// How the run of a program went.
enum Attended {
    Ended(Ended),
    Unstarted(CliError),
    Killed,
}

impl Shift<'_> {
    /// Works one message and settles it.
    pub(super) async fn one(&mut self, delivery: Delivery) -> Result<()> {
        if self.keeper.has_lost(&delivery.receipt) {
            self.tally.lease_lost += 1;
            return Ok(());
        }
        let started_at = self.connection.clock().now();
        if let Some(disposition) = self.verdict.unrun(&delivery, started_at) {
            return self.settle(&delivery, disposition).await;
        }
        let ended = match self.attend(&delivery).await {
            Attended::Ended(ended) => ended,
            Attended::Unstarted(error) => {
                self.give_back(vec![delivery]).await;
                return Err(error);
            }
            Attended::Killed => return self.killed(&delivery).await,
        };
        let failure = ended.failure(&self.args.command[0].to_string_lossy());
        let disposition = self.verdict.of(&delivery, failure.as_ref(), started_at);
        self.settle(&delivery, disposition).await
    }

    /// Runs the program to its end, unless it must not go on: the lease is lost, or a second
    /// signal came. Then it is dead before this answers, so that its message may go back.
    async fn attend(&mut self, delivery: &Delivery) -> Attended {
        let (until_dead, dead) = oneshot::channel();
        let (command, queue) = (&self.args.command, &self.args.queue);
        {
            let running = program::run(command, queue, delivery, until_dead);
            tokio::pin!(running);
            loop {
                tokio::select! {
                    ended = &mut running => return match ended {
                        Ok(ended) => Attended::Ended(ended),
                        Err(error) => Attended::Unstarted(error),
                    },
                    () = self.keeper.keep_until_lost(&delivery.receipt) => break,
                    signal = self.signals.next() => {
                        let is_second = self.stopped.is_some();
                        self.stopped.get_or_insert(signal);
                        if is_second || signal == Exit::Quit {
                            break;
                        }
                        complain("waiting for the running program; a second signal kills it");
                    }
                }
            }
        }
        // It is never sent, only dropped.
        let _ = dead.await;
        Attended::Killed
    }

    async fn killed(&mut self, delivery: &Delivery) -> Result<()> {
        if self.keeper.has_lost(&delivery.receipt) {
            complain(format_args!(
                "the lease of message {} was lost; its program was killed",
                delivery.message.id
            ));
            self.tally.lease_lost += 1;
            return Ok(());
        }
        self.settle(delivery, release(None)).await
    }

    /// Settles what is done. A store that is away for a moment does not lose finished work: the
    /// call is repeated until the lease has surely ended.
    async fn settle(&mut self, delivery: &Delivery, disposition: Disposition) -> Result<()> {
        let batch = [Settlement {
            receipt: delivery.receipt.clone(),
            disposition,
        }];
        let deadline = Instant::now() + self.args.lease.0;
        let queues = &self.connection.backend().queues;
        let outcomes = loop {
            match queues.settle(&self.args.queue, &batch).await {
                Ok(outcomes) => break outcomes,
                Err(error) if error.is_retryable() && Instant::now() < deadline => {
                    tracing::warn!(%error, "a message could not be settled; trying again");
                    tokio::time::sleep(SETTLE_PAUSE).await;
                }
                Err(error) => {
                    let id = delivery.message.id;
                    return Err(CliError::from(error).while_doing(format_args!("message {id}")));
                }
            }
        };
        self.keeper.drop_one(&delivery.receipt);
        let settled = outcomes.first().copied().unwrap_or(Settled::LeaseLost);
        self.tally.count(settled, &batch[0].disposition);
        Ok(())
    }
}
