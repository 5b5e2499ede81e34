//! `receive QUEUE -- CMD`: works a batch one by one and settles each message by its exit code.

use longshore::Connection;
use longshore::core::{
    AttemptRecord, DeadReason, Decision, Delivery, Disposition, Due, ErrorPolicy, Failure, Label,
    OnGroupDead, Settled, Settlement, Timestamp,
};
use serde_json::json;

use super::keeper::Keeper;
use super::program::Program;
use crate::args::ReceiveArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::identity;
use crate::output::{Stdout, complain};
use crate::session::Session;
use crate::signals::Signals;

/// What became of the batch.
#[derive(Debug, Default)]
struct Tally {
    acked: u32,
    retried: u32,
    dead: u32,
    released: u32,
    lease_lost: u32,
}

/// The batch at work.
struct Shift<'a> {
    connection: &'a Connection,
    args: &'a ReceiveArgs,
    policy: ErrorPolicy,
    park_group: bool,
    keeper: Keeper,
    signals: Signals,
    /// The first signal: what runs is ended, nothing is started any more.
    stopped: Option<Exit>,
    tally: Tally,
}

pub(super) async fn perform(
    connection: &Connection,
    args: &ReceiveArgs,
    session: &Session,
) -> Result<Exit> {
    let settings = connection.backend().admin.settings(&args.queue).await?;
    let signals = Signals::listen()?;
    let deliveries = super::lease(connection, args).await?;
    if deliveries.is_empty() {
        session.note(format_args!("nothing to receive from {}", args.queue));
        print(&Tally::default(), session)?;
        return Ok(Exit::NothingMatched);
    }
    let receipts = deliveries.iter().map(|delivery| delivery.receipt.clone());
    let mut shift = Shift {
        connection,
        args,
        policy: ErrorPolicy::default(),
        park_group: settings.on_group_dead == Some(OnGroupDead::Park),
        keeper: Keeper::new(connection, &args.queue, args.lease.0, receipts),
        signals,
        stopped: None,
        tally: Tally::default(),
    };
    let total = deliveries.len() as u32;
    let worked = shift.work(deliveries).await;
    print(&shift.tally, session)?;
    worked?;
    Ok(match shift.stopped {
        Some(exit) => exit,
        None if shift.tally.acked == total => Exit::Done,
        None => Exit::Partial,
    })
}

fn print(tally: &Tally, session: &Session) -> Result<()> {
    if session.json() {
        return Stdout::json(&json!({
            "acked": tally.acked,
            "retried": tally.retried,
            "dead": tally.dead,
            "released": tally.released,
            "lease_lost": tally.lease_lost,
        }));
    }
    session.note(format_args!(
        "{} acked, {} retried, {} dead, {} released, {} lost",
        tally.acked, tally.retried, tally.dead, tally.released, tally.lease_lost
    ));
    Ok(())
}

impl Shift<'_> {
    async fn work(&mut self, deliveries: Vec<Delivery>) -> Result<()> {
        let mut rest = deliveries.into_iter();
        while self.stopped.is_none() {
            let Some(delivery) = rest.next() else {
                return Ok(());
            };
            if let Err(error) = self.one(&delivery).await {
                // The program cannot be started, or the store is away: nothing else will fare
                // better, and none of them is to blame.
                let mut unstarted = vec![delivery];
                unstarted.extend(rest);
                self.release(unstarted).await;
                return Err(error);
            }
        }
        self.release(rest.collect()).await;
        Ok(())
    }

    /// Works one message and settles it.
    async fn one(&mut self, delivery: &Delivery) -> Result<()> {
        if self.keeper.has_lost(&delivery.receipt) {
            self.tally.lease_lost += 1;
            return Ok(());
        }
        let started_at = self.connection.clock().now();
        if let Some(reason) = self.policy.refuses(delivery.attempt, delivery.vanished()) {
            let failure = Failure::permanent("given up unrun: too many attempts before it");
            let disposition = self.dead_letter(reason, &failure, started_at);
            return self.settle(delivery, disposition).await;
        }
        let mut program = Program::start(&self.args.command, &self.args.queue, delivery)?;
        let mut ended = None;
        {
            let finish = program.finish(&delivery.message.body);
            tokio::pin!(finish);
            while ended.is_none() {
                tokio::select! {
                    done = &mut finish => ended = Some(Some(done)),
                    () = self.keeper.keep_until_lost(&delivery.receipt) => ended = Some(None),
                    signal = self.signals.next() => {
                        if self.stopped.is_some() {
                            ended = Some(None);
                        } else {
                            complain("waiting for the running program; a second signal kills it");
                            self.stopped = Some(signal);
                        }
                    }
                }
            }
        }
        let Some(Some(done)) = ended else {
            return self.broken_off(&mut program, delivery).await;
        };
        let failure = match done {
            Ok(ended) => ended.failure(),
            Err(error) => Some(Failure::from(error)),
        };
        let disposition = match failure {
            None => Disposition::Ack,
            Some(failure) => self.decide(delivery, &failure, started_at),
        };
        self.settle(delivery, disposition).await
    }

    /// The lease is lost, or a second signal came: the program must be dead before the message
    /// may go back.
    async fn broken_off(&mut self, program: &mut Program, delivery: &Delivery) -> Result<()> {
        program.kill().await;
        if self.keeper.has_lost(&delivery.receipt) {
            complain(format_args!(
                "the lease of message {} was lost; its program was killed",
                delivery.message.id
            ));
            self.tally.lease_lost += 1;
            return Ok(());
        }
        let disposition = Disposition::Release {
            due: None,
            checkpoint: None,
        };
        self.settle(delivery, disposition).await
    }

    fn decide(&self, delivery: &Delivery, failure: &Failure, started_at: Timestamp) -> Disposition {
        match self
            .policy
            .decide(failure, delivery.attempt, 0, fastrand::f64())
        {
            Decision::Retry(delay) => Disposition::Retry {
                due: Due::In(delay),
                record: self.record(failure, started_at),
                checkpoint: None,
            },
            Decision::DeadLetter(reason) => self.dead_letter(reason, failure, started_at),
            Decision::Release(delay) => Disposition::Release {
                due: Some(Due::In(delay)),
                checkpoint: None,
            },
            // The default policy has no clauses and so no other decision.
            _ => self.dead_letter(DeadReason::Permanent, failure, started_at),
        }
    }

    fn dead_letter(
        &self,
        reason: DeadReason,
        failure: &Failure,
        started_at: Timestamp,
    ) -> Disposition {
        Disposition::DeadLetter {
            reason,
            record: self.record(failure, started_at),
            park_group: self.park_group,
            checkpoint: None,
        }
    }

    fn record(&self, failure: &Failure, started_at: Timestamp) -> AttemptRecord {
        let label: Label = failure.labelled().clone();
        let now = self.connection.clock().now();
        AttemptRecord::new(
            identity::worker(),
            started_at,
            now,
            label,
            failure.to_string(),
        )
    }

    async fn settle(&mut self, delivery: &Delivery, disposition: Disposition) -> Result<()> {
        let batch = [Settlement {
            receipt: delivery.receipt.clone(),
            disposition,
        }];
        let settled = self
            .connection
            .backend()
            .queues
            .settle(&self.args.queue, &batch)
            .await?;
        self.keeper.drop_one(&delivery.receipt);
        let tally = &mut self.tally;
        *match (settled.first(), &batch[0].disposition) {
            (Some(Settled::Applied), Disposition::Ack) => &mut tally.acked,
            (Some(Settled::Applied), Disposition::Retry { .. }) => &mut tally.retried,
            (Some(Settled::Applied), Disposition::DeadLetter { .. }) => &mut tally.dead,
            (Some(Settled::Applied), Disposition::Release { .. }) => &mut tally.released,
            _ => &mut tally.lease_lost,
        } += 1;
        Ok(())
    }

    /// Gives back what was not started, uncharged. What the store does not take comes back when
    /// its lease ends.
    async fn release(&mut self, unstarted: Vec<Delivery>) {
        let batch: Vec<Settlement> = unstarted
            .into_iter()
            .map(|delivery| Settlement {
                receipt: delivery.receipt,
                disposition: Disposition::Release {
                    due: None,
                    checkpoint: None,
                },
            })
            .collect();
        if batch.is_empty() {
            return;
        }
        match self
            .connection
            .backend()
            .queues
            .settle(&self.args.queue, &batch)
            .await
        {
            Ok(outcomes) => {
                let applied = outcomes
                    .iter()
                    .filter(|one| **one == Settled::Applied)
                    .count();
                self.tally.released += applied as u32;
                self.tally.lease_lost += (outcomes.len() - applied) as u32;
            }
            Err(error) => complain(format_args!(
                "{} messages could not be released and come back when their leases end: {error}",
                batch.len()
            )),
        }
    }
}
