//! Ending and extending deliveries by a process that does not own the shard: as events, after a
//! look at whether the delivery is the current one. The owner reads them before it delivers
//! the message again.

use std::time::Duration;

use futures_util::future::try_join;
use longshore_core::{
    Disposition, GroupName, IdOrigin, QueueSettings, Result, Settled, StoreError, Timestamp, wire,
};

use crate::protocol::disposition;
use crate::protocol::event::{Event, Why};
use crate::protocol::projection::Projection;
use crate::protocol::receipt::DeliveryTag;
use crate::protocol::storage::{MessageRow, Storage};
use crate::shard::load::read;

/// The message of a delivery tag, if its delivery is its current one.
async fn current(
    storage: &dyn Storage,
    tag: &DeliveryTag,
) -> Result<Option<(MessageRow, Projection)>> {
    let read = try_join(
        storage.message(tag.bucket, tag.position),
        storage.events_of(tag.bucket, tag.position),
    );
    let (Some(row), events) = read.await? else {
        return Ok(None);
    };
    let mut projection = Projection::begin(&row);
    if tag.serial == 1 {
        // It may be written in a batch delivery, which lies elsewhere; the delivery tag proves it.
        let until = Timestamp::EPOCH;
        let attempt = tag.attempt;
        projection.add(1, Event::Delivered { attempt, until });
    }
    for (serial, event) in read::by_position(&events)
        .remove(&tag.position)
        .unwrap_or_default()
    {
        projection.add(serial, event);
    }
    let holds =
        projection.done.is_none() && projection.leased.is_some() && projection.serial == tag.serial;
    Ok(holds.then_some((row, projection)))
}

/// Ends a delivery.
pub(crate) async fn settle(
    storage: &dyn Storage,
    tag: &DeliveryTag,
    disposition: &Disposition,
    settings: &QueueSettings,
    now: Timestamp,
    sequence: i64,
) -> Result<Settled> {
    let Some((row, projection)) = current(storage, tag).await? else {
        return Ok(Settled::LeaseLost);
    };
    let event = if *disposition == Disposition::Ack {
        let given = wire::decode(&row.head, row.body.clone())
            .is_ok_and(|message| message.id_origin == IdOrigin::Given);
        let known_until = if given {
            now.plus(settings.id_window())
        } else {
            Timestamp::EPOCH
        };
        let why = Why::Acked;
        Event::Done { why, known_until }
    } else {
        let is_grouped = row
            .group
            .as_deref()
            .is_some_and(|it| GroupName::new(it).is_ok());
        let state = disposition::after(&projection.state, is_grouped, disposition, now, sequence);
        Event::Became(Box::new(state))
    };
    let is_done = matches!(event, Event::Done { .. });
    let row = event.row(tag.position, tag.serial);
    storage.put_events(tag.bucket, &[row]).await?;
    if is_done {
        // Whatever became of it meanwhile, it is done.
        return Ok(Settled::Applied);
    }
    unless_overtaken(storage, tag).await
}

/// An event of a delivery holds unless the owner delivered the message again before it could see
/// it. See [`crate::shard::redelivery`].
pub(crate) async fn unless_overtaken(storage: &dyn Storage, tag: &DeliveryTag) -> Result<Settled> {
    let events = storage.events_of(tag.bucket, tag.position).await;
    let events = events.map_err(StoreError::effect_unknown)?;
    let is_overtaken = events.iter().any(|event| event.serial > tag.serial);
    Ok(if is_overtaken {
        Settled::LeaseLost
    } else {
        Settled::Applied
    })
}

/// Makes a lease last until now + `lease`.
pub(crate) async fn extend(
    storage: &dyn Storage,
    tag: &DeliveryTag,
    lease: Duration,
    now: Timestamp,
) -> Result<Settled> {
    if current(storage, tag).await?.is_none() {
        return Ok(Settled::LeaseLost);
    }
    let until = now.plus(lease);
    let row = Event::Extended { until }.row(tag.position, tag.serial);
    storage.put_events(tag.bucket, &[row]).await?;
    unless_overtaken(storage, tag).await
}
