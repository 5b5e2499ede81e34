//! `settle`: ends deliveries by hand.

use std::collections::BTreeMap;

use longshore::Connection;
use longshore::core::{
    AttemptRecord, DeadReason, Disposition, Due, Label, OnGroupDead, QueueName, Receipt,
    ReceiptWord, Result as StoreResult, Settled, Settlement,
};

use crate::args::{SettleArgs, SettleFate};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::identity;
use crate::output::Stdout;
use crate::session::Session;
use crate::shape::SettledRow;

pub(super) async fn perform(args: SettleArgs, session: &Session) -> Result<Exit> {
    check(&args)?;
    let connection = session.open().await?;
    let mut outcomes = vec![Settled::LeaseLost; args.receipt.len()];
    for (queue, places) in by_queue(&args.receipt) {
        let disposition = disposition(&connection, queue, &args).await?;
        let batch: Vec<Settlement> = places
            .iter()
            .map(|place| Settlement {
                receipt: args.receipt[*place].receipt.clone(),
                disposition: disposition.clone(),
            })
            .collect();
        let queues = &connection.backend().queues;
        let settled = in_parts(&connection, &batch, async |part| {
            queues.settle(queue, part).await
        })
        .await?;
        for (place, outcome) in places.into_iter().zip(settled) {
            outcomes[place] = outcome;
        }
    }
    print(&args.receipt, &outcomes, session)
}

/// Options that mean nothing for a fate are refused rather than ignored.
fn check(args: &SettleArgs) -> Result<()> {
    let fate = args.fate;
    if args.delay.is_some() && !matches!(fate, SettleFate::Retry | SettleFate::Release) {
        return Err(CliError::usage("--delay goes with retry and release only"));
    }
    if args.reason.is_some() && !matches!(fate, SettleFate::Retry | SettleFate::DeadLetter) {
        return Err(CliError::usage(
            "--reason goes with retry and dead-letter only",
        ));
    }
    Ok(())
}

async fn disposition(
    connection: &Connection,
    queue: &QueueName,
    args: &SettleArgs,
) -> Result<Disposition> {
    let due = args.delay.map(|span| Due::In(span.0));
    Ok(match args.fate {
        SettleFate::Ack => Disposition::Ack,
        SettleFate::Release => Disposition::Release {
            due,
            checkpoint: None,
        },
        SettleFate::Retry => Disposition::Retry {
            due: due.unwrap_or(Due::NOW),
            record: record(connection, args),
            checkpoint: None,
        },
        SettleFate::DeadLetter => {
            let settings = connection.backend().admin.settings(queue).await?;
            Disposition::DeadLetter {
                reason: DeadReason::Requested,
                record: record(connection, args),
                park_group: settings.on_group_dead == Some(OnGroupDead::Park),
                checkpoint: None,
            }
        }
    })
}

/// What the history keeps of it. When the work began is not known here.
fn record(connection: &Connection, args: &SettleArgs) -> AttemptRecord {
    let now = connection.clock().now();
    let reason = args
        .reason
        .clone()
        .unwrap_or_else(|| "settled by hand".into());
    AttemptRecord::new(
        identity::worker(),
        now,
        now,
        Label::lossy("requested"),
        reason,
    )
}

/// The places of the receipts of each queue.
pub(super) fn by_queue(receipts: &[ReceiptWord]) -> BTreeMap<&QueueName, Vec<usize>> {
    let mut queues: BTreeMap<&QueueName, Vec<usize>> = BTreeMap::new();
    for (place, word) in receipts.iter().enumerate() {
        queues.entry(&word.queue).or_default().push(place);
    }
    queues
}

/// Calls the store for parts that are within its batch limit.
pub(super) async fn in_parts<T>(
    connection: &Connection,
    items: &[T],
    call: impl AsyncFn(&[T]) -> StoreResult<Vec<Settled>>,
) -> Result<Vec<Settled>> {
    let part = connection.backend().queues.limits().batch_max.get() as usize;
    let mut outcomes = Vec::with_capacity(items.len());
    for part in items.chunks(part) {
        outcomes.extend(call(part).await?);
    }
    Ok(outcomes)
}

/// Prints what became of each receipt; a lost lease makes the end partial.
pub(super) fn print(
    receipts: &[ReceiptWord],
    outcomes: &[Settled],
    session: &Session,
) -> Result<Exit> {
    let rows: Vec<SettledRow> = receipts
        .iter()
        .zip(outcomes)
        .map(|(receipt, outcome)| SettledRow::of(receipt, *outcome))
        .collect();
    let lost = outcomes
        .iter()
        .filter(|outcome| **outcome != Settled::Applied)
        .count();
    if session.json() {
        Stdout::json(&rows)?;
    } else {
        let mut stdout = Stdout::lock();
        for row in &rows {
            stdout.line(&format!("{} {}", row.receipt, row.outcome))?;
        }
        stdout.finish()?;
    }
    if lost == 0 {
        return Ok(Exit::Done);
    }
    session.note(format_args!(
        "{lost} of {} had lost the lease: the message is gone or was delivered again",
        outcomes.len()
    ));
    Ok(Exit::Partial)
}

/// The receipts at these places.
pub(super) fn receipts_at(words: &[ReceiptWord], places: &[usize]) -> Vec<Receipt> {
    places
        .iter()
        .map(|place| words[*place].receipt.clone())
        .collect()
}
