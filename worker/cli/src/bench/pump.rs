//! The plain loops of a bench: fill a queue, drain it.

use std::num::NonZeroU32;
use std::ops::Range;
use std::time::Duration;

use futures_util::future::try_join_all;
use longshore::core::{
    AttemptRecord, DeadReason, Delivery, Disposition, Due, Enqueued, GroupName, Label, QueueName,
    QueueStore, Receive, Settled, Settlement, Timestamp,
};

use super::latency::Latencies;
use super::load::Load;
use super::meter::{Moment, Span};
use super::tally::Tally;
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// Longer than any bench runs: a lease that ended would look like a doubled message.
pub(crate) const LEASE: Duration = Duration::from_secs(3600);

/// Longer than any bench runs, too.
const LATER: Duration = Duration::from_secs(24 * 3600);

/// How long members of groups may wait for heads that others hold.
const BEHIND_HEADS: Duration = Duration::from_millis(100);

/// How many go in a call where only the result matters, not how long it takes.
pub(crate) const BULK: u32 = 1000;

/// How many messages the warm-up of a store has.
const WARM_UP: u64 = 10_000;

/// After this long without a message one must be lost.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The queue that every bench uses in its own scratch store.
pub(crate) const QUEUE: &str = "bench";

/// [`QUEUE`] as a name.
pub(crate) fn queue() -> Result<QueueName> {
    Ok(QueueName::new(QUEUE)?)
}

/// Moves enough messages through a new store that its files have the size they keep: as long as
/// they grow each sync also writes the new size, which can take ten times as long.
pub(crate) async fn warm_up(store: &dyn QueueStore, load: &Load) -> Result<()> {
    fill(store, load, 0..WARM_UP, BULK, None).await?;
    let mut tally = Tally::new(WARM_UP);
    drain(store, load, BULK, &mut tally).await?;
    if tally.check(0).holds() {
        return Ok(());
    }
    Err(wrong(
        "the messages of the warm-up did not come out once each",
    ))
}

/// Enqueues messages batch after batch, each when the one before is stored.
pub(crate) async fn fill(
    store: &dyn QueueStore,
    load: &Load,
    numbers: Range<u64>,
    batch: u32,
    group: Option<&GroupName>,
) -> Result<Span> {
    let queue = queue()?;
    let start = Moment::now();
    let mut from = numbers.start;
    while from < numbers.end {
        let to = numbers.end.min(from + u64::from(batch));
        let messages = load.messages(from..to, group)?;
        let outcomes = store.enqueue(&queue, &messages).await?;
        if outcomes.len() != messages.len() || outcomes.iter().any(|o| *o != Enqueued::Stored) {
            return Err(wrong("the store did not answer Stored for a new message"));
        }
        from = to;
    }
    let end = Moment::now();
    Ok(Span { start, end })
}

/// Enqueues messages with so many calls under way at a time, each on a share of its own.
pub(crate) async fn fill_by(
    under_way: u32,
    store: &dyn QueueStore,
    load: &Load,
    numbers: Range<u64>,
    batch: u32,
) -> Result<Span> {
    let (hands, count) = (u64::from(under_way.max(1)), numbers.end - numbers.start);
    let share = |hand: u64| numbers.start + count * hand / hands;
    let start = Moment::now();
    let filled =
        (0..hands).map(|hand| fill(store, load, share(hand)..share(hand + 1), batch, None));
    try_join_all(filled).await?;
    let end = Moment::now();
    Ok(Span { start, end })
}

/// Receives and acks batch after batch until a receive answers none, and marks what came out.
///
/// A batch is acked while the next one is received, as a worker does it: the store may put both
/// into one transaction. Answers how long it took, and how long each batch did from the call that
/// received it to the answer of its ack.
pub(crate) async fn drain(
    store: &dyn QueueStore,
    load: &Load,
    batch: u32,
    tally: &mut Tally,
) -> Result<(Span, Latencies)> {
    let queue = queue()?;
    let start = Moment::now();
    // Where there are groups, nothing may be ready while others hold the heads of all of them; and
    // a store may answer none for a moment while what waits changes hands.
    let handover = store.limits().handover_max;
    let wait = if load.has_groups() {
        BEHIND_HEADS.max(handover)
    } else {
        handover
    };
    let (mut worked, mut end) = (Vec::new(), start);
    let (mut batches, mut began) = (Latencies::new()?, start);
    loop {
        let had_some = !worked.is_empty();
        let begins = Moment::now();
        let (taken, acked) = tokio::join!(receive(store, &queue, batch, wait), async {
            ack(store, &queue, worked).await.map(|()| Moment::now())
        },);
        worked = taken?;
        // The waiting at the end is not counted, only what was done.
        let acked = acked?;
        if had_some {
            batches.record(acked.since(began));
        }
        began = begins;
        if had_some || wait.is_zero() {
            end = acked;
        }
        if worked.is_empty() && (!had_some || wait.is_zero()) {
            return Ok((Span { start, end }, batches));
        }
        for delivery in &worked {
            tally.mark(load.number(delivery.message.id));
        }
    }
}

/// Enqueues so many messages that fall due long after the bench.
pub(crate) async fn delay(store: &dyn QueueStore, load: &Load, count: u64) -> Result<()> {
    let mut from = 0;
    while from < count {
        let to = count.min(from + u64::from(BULK));
        let mut messages = load.messages(from..to, None)?;
        for message in &mut messages {
            message.due = Some(Due::In(LATER));
        }
        store.enqueue(&queue()?, &messages).await?;
        from = to;
    }
    Ok(())
}

/// Enqueues so many messages to an empty queue and dead-letters them.
pub(crate) async fn bury(store: &dyn QueueStore, load: &Load, count: u64) -> Result<()> {
    fill(store, load, 0..count, BULK, None).await?;
    let (queue, now) = (queue()?, Timestamp::EPOCH);
    loop {
        let taken = receive(store, &queue, BULK, Duration::ZERO).await?;
        if taken.is_empty() {
            return Ok(());
        }
        let buried = taken.into_iter().map(|delivery| Settlement {
            receipt: delivery.receipt,
            disposition: Disposition::DeadLetter {
                reason: DeadReason::Requested,
                record: AttemptRecord::new("bench", now, now, Label::lossy("bench"), "buried"),
                checkpoint: None,
                park_group: false,
            },
        });
        store.settle(&queue, &buried.collect::<Vec<_>>()).await?;
    }
}

/// Leases up to `batch` messages.
pub(crate) async fn receive(
    store: &dyn QueueStore,
    queue: &QueueName,
    batch: u32,
    wait_max: Duration,
) -> Result<Vec<Delivery>> {
    let request = Receive {
        batch_max: NonZeroU32::new(batch).unwrap_or(NonZeroU32::MIN),
        lease: LEASE,
        wait_max,
    };
    let received = store.receive(queue, request).await?;
    if received.set_aside != 0 {
        return Err(wrong("the store found damaged rows in its scratch data"));
    }
    Ok(received.deliveries)
}

/// Acks deliveries. A lost lease is an error: none ends while a bench runs.
pub(crate) async fn ack(
    store: &dyn QueueStore,
    queue: &QueueName,
    taken: Vec<Delivery>,
) -> Result<()> {
    if taken.is_empty() {
        return Ok(());
    }
    let settlements: Vec<_> = taken
        .into_iter()
        .map(|delivery| Settlement {
            receipt: delivery.receipt,
            disposition: Disposition::Ack,
        })
        .collect();
    let outcomes = store.settle(queue, &settlements).await?;
    if outcomes.len() != settlements.len() || outcomes.iter().any(|o| *o != Settled::Applied) {
        return Err(wrong("the store called a running lease lost"));
    }
    Ok(())
}

/// The store broke its promise.
pub(crate) fn wrong(what: &str) -> CliError {
    CliError::new(Exit::Failed, format!("bench failed: {what}"))
}
