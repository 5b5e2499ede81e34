//! Ending and extending deliveries by a process that does not own the shard: as facts, after a
//! look at whether the delivery is the current one. The owner reads them before it delivers
//! the message again.

use std::time::Duration;

use futures_util::future::try_join;
use longshore_core::{
    Disposition, GroupName, IdOrigin, QueueSettings, Result, Settled, StoreError, Timestamp, wire,
};

use crate::protocol::disposition;
use crate::protocol::event::{Fact, Why};
use crate::protocol::projection::Tale;
use crate::protocol::receipt::Slip;
use crate::protocol::storage::{MessageRow, Rows};
use crate::shard::load::read;

/// The message of a slip, if the slip's delivery is its current one.
async fn current(rows: &dyn Rows, slip: &Slip) -> Result<Option<(MessageRow, Tale)>> {
    let read = try_join(
        rows.message(slip.bucket, slip.spot),
        rows.facts_of(slip.bucket, slip.spot),
    );
    let (Some(row), facts) = read.await? else {
        return Ok(None);
    };
    let mut tale = Tale::begin(&row);
    if slip.serial == 1 {
        // It may be written in a roll, which lies elsewhere; the slip proves it.
        let until = Timestamp::EPOCH;
        let attempt = slip.attempt;
        tale.add(1, Fact::Delivered { attempt, until });
    }
    for (serial, fact) in read::by_spot(&facts).remove(&slip.spot).unwrap_or_default() {
        tale.add(serial, fact);
    }
    let holds = tale.done.is_none() && tale.leased.is_some() && tale.serial == slip.serial;
    Ok(holds.then_some((row, tale)))
}

/// Ends a delivery.
pub(crate) async fn settle(
    rows: &dyn Rows,
    slip: &Slip,
    disposition: &Disposition,
    settings: &QueueSettings,
    now: Timestamp,
    sequence: i64,
) -> Result<Settled> {
    let Some((row, tale)) = current(rows, slip).await? else {
        return Ok(Settled::LeaseLost);
    };
    let fact = if *disposition == Disposition::Ack {
        let given = wire::decode(&row.head, row.body.clone())
            .is_ok_and(|message| message.id_origin == IdOrigin::Given);
        let known_until = if given {
            now.plus(settings.id_window())
        } else {
            Timestamp::EPOCH
        };
        let why = Why::Acked;
        Fact::Done { why, known_until }
    } else {
        let is_grouped = row
            .group
            .as_deref()
            .is_some_and(|it| GroupName::new(it).is_ok());
        let state = disposition::after(&tale.state, is_grouped, disposition, now, sequence);
        Fact::Became(Box::new(state))
    };
    let is_done = matches!(fact, Fact::Done { .. });
    let row = fact.row(slip.spot, slip.serial);
    rows.put_facts(slip.bucket, &[row]).await?;
    if is_done {
        // Whatever became of it meanwhile, it is done.
        return Ok(Settled::Applied);
    }
    unless_overtaken(rows, slip).await
}

/// A fact of a delivery holds unless the owner delivered the message again before it could see it.
/// See [`crate::shard::redelivery`].
pub(crate) async fn unless_overtaken(rows: &dyn Rows, slip: &Slip) -> Result<Settled> {
    let facts = rows.facts_of(slip.bucket, slip.spot).await;
    let facts = facts.map_err(StoreError::effect_unknown)?;
    let is_overtaken = facts.iter().any(|fact| fact.serial > slip.serial);
    Ok(if is_overtaken {
        Settled::LeaseLost
    } else {
        Settled::Applied
    })
}

/// Makes a lease last until now + `lease`.
pub(crate) async fn extend(
    rows: &dyn Rows,
    slip: &Slip,
    lease: Duration,
    now: Timestamp,
) -> Result<Settled> {
    if current(rows, slip).await?.is_none() {
        return Ok(Settled::LeaseLost);
    }
    let until = now.plus(lease);
    let row = Fact::Extended { until }.row(slip.spot, slip.serial);
    rows.put_facts(slip.bucket, &[row]).await?;
    unless_overtaken(rows, slip).await
}
