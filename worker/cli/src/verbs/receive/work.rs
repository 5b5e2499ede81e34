//! `receive QUEUE -- CMD`: works a batch one by one and settles each message by its exit code.

use longshore::Connection;
use longshore::core::Delivery;

use super::give_back::releases;
use super::keeper::Keeper;
use super::tally::Tally;
use super::verdict::Verdict;
use crate::args::ReceiveArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{complain, counted};
use crate::session::Session;
use crate::signals::Signals;

/// After so many deliveries that vanished in a row a message is suspected to kill its worker.
const SUSPECT: u32 = 2;

/// The batch at work.
pub(super) struct Shift<'a> {
    pub(super) connection: &'a Connection,
    pub(super) args: &'a ReceiveArgs,
    pub(super) verdict: Verdict,
    pub(super) keeper: Keeper,
    pub(super) signals: Signals,
    /// The first signal: what runs is ended, nothing is started any more.
    pub(super) stopped: Option<Exit>,
    pub(super) tally: Tally,
}

pub(super) async fn perform(
    connection: &Connection,
    args: &ReceiveArgs,
    session: &Session,
) -> Result<Exit> {
    let settings = connection.backend().admin.settings(&args.queue).await?;
    let deliveries = super::lease(connection, args).await?;
    // From here on there is something to put in order; a signal during the wait just ends it.
    let signals = Signals::listen()?;
    if deliveries.is_empty() {
        if session.json() {
            Tally::default().print(session)?;
        }
        return super::none(connection, args, session).await;
    }
    let receipts = deliveries.iter().map(|delivery| delivery.receipt.clone());
    let mut shift = Shift {
        connection,
        args,
        verdict: Verdict::new(connection, &settings),
        keeper: Keeper::new(connection, &args.queue, args.lease.0, receipts),
        signals,
        stopped: None,
        tally: Tally::default(),
    };
    let total = deliveries.len() as u64;
    let worked = shift.work(deliveries).await;
    shift.tally.print(session)?;
    worked?;
    Ok(match shift.stopped {
        Some(exit) => exit,
        None if shift.tally.acked == total => Exit::Done,
        None => Exit::Partial,
    })
}

impl Shift<'_> {
    async fn work(&mut self, mut deliveries: Vec<Delivery>) -> Result<()> {
        // A suspect is worked alone: if it kills us, it charges no neighbour.
        let suspect = deliveries.iter().position(|one| one.vanished() >= SUSPECT);
        if let Some(place) = suspect {
            let alone = deliveries.swap_remove(place);
            self.give_back(deliveries).await;
            deliveries = vec![alone];
        }
        let mut rest = deliveries.into_iter();
        let mut worked = Ok(());
        while self.stopped.is_none() && worked.is_ok() {
            let Some(delivery) = rest.next() else {
                return Ok(());
            };
            worked = self.one(delivery).await;
        }
        // Stopped, or the store is away, or the program cannot be started: no other message
        // would fare better, and none is to blame.
        self.give_back(rest.collect()).await;
        worked
    }

    /// Gives back what was not started, uncharged. What the store does not take comes back when
    /// its lease ends.
    pub(super) async fn give_back(&mut self, unstarted: Vec<Delivery>) {
        if unstarted.is_empty() {
            return;
        }
        let batch = releases(unstarted);
        let queues = &self.connection.backend().queues;
        match queues.settle(&self.args.queue, &batch).await {
            Ok(outcomes) => {
                for (outcome, settlement) in outcomes.into_iter().zip(&batch) {
                    self.keeper.drop_one(&settlement.receipt);
                    self.tally.count(outcome, &settlement.disposition);
                }
            }
            Err(error) => complain(format_args!(
                "{} could not be given back, the end of the lease does that: {error}",
                counted(batch.len() as u64, "message")
            )),
        }
    }
}
