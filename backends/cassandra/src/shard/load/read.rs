//! Reading whole buckets, page by page.

use std::collections::{HashMap, HashSet};

use longshore_core::Result;
use uuid::Uuid;

use crate::protocol::event::Event;
use crate::protocol::storage::{Bucket, EventRow, MessageRow, Position, Storage};
use crate::shard::buckets::progress::{FirstDeliveries, FirstDelivery};

/// Messages of one page.
const MESSAGES: usize = 500;

/// Events or positions of one page.
pub(crate) const SMALL: usize = 2000;

/// One page of messages from a position on, and where the next one begins; `None` at the end.
pub(crate) async fn messages_after(
    storage: &dyn Storage,
    bucket: Bucket,
    from: Position,
) -> Result<Option<(Vec<MessageRow>, Option<Position>)>> {
    let page = storage.messages(bucket, from, MESSAGES).await?;
    let Some(last) = page.last() else {
        return Ok(None);
    };
    let next = (page.len() >= MESSAGES).then(|| after(last.position));
    Ok(Some((page, next)))
}

/// All positions of a bucket.
pub(crate) async fn positions_in(storage: &dyn Storage, bucket: Bucket) -> Result<Vec<Position>> {
    let mut all = Vec::new();
    let mut from = Position::FIRST;
    loop {
        let page = storage.positions(bucket, from, SMALL).await?;
        let is_last = page.len() < SMALL;
        all.extend(page);
        match all.last() {
            Some(last) if !is_last => from = after(*last),
            _ => return Ok(all),
        }
    }
}

/// All events of a bucket.
pub(crate) async fn events_in(storage: &dyn Storage, bucket: Bucket) -> Result<Vec<EventRow>> {
    events_between(storage, bucket, (Position::FIRST, Position::LAST), SMALL).await
}

/// The events of a bucket that lie from one position to another, so many at a time.
pub(crate) async fn events_between(
    storage: &dyn Storage,
    bucket: Bucket,
    (first, last): (Position, Position),
    at_a_time: usize,
) -> Result<Vec<EventRow>> {
    let mut all: Vec<EventRow> = Vec::new();
    let mut from = (first, i32::MIN, i8::MIN);
    loop {
        let page = storage.events(bucket, from, at_a_time).await?;
        let is_last = page.len() < at_a_time;
        let here = page.partition_point(|row| row.position <= last);
        let goes_on = !is_last && here == page.len();
        all.extend(page.into_iter().take(here));
        match all.last() {
            Some(last) if goes_on => {
                from = (last.position, last.serial, last.what.saturating_add(1));
            }
            _ => return Ok(all),
        }
    }
}

/// Those of some positions in their order whose messages are done, and perhaps others between them.
pub(crate) async fn done_among(
    storage: &dyn Storage,
    bucket: Bucket,
    positions: &[Position],
) -> Result<HashSet<Position>> {
    let (Some(first), Some(last)) = (positions.first(), positions.last()) else {
        return Ok(HashSet::new());
    };
    // Most have one event, and some of those before them tell of many.
    let expected = positions.len() + positions.len() / 8 + 16;
    let events = events_between(storage, bucket, (*first, *last), expected.min(SMALL)).await?;
    let ends = events.iter();
    let ends = ends.filter(|row| matches!(Event::of(row), Some(Event::Done { .. })));
    Ok(ends.map(|row| row.position).collect())
}

/// The events about each message, in the order of their serials. A batch delivery becomes one
/// delivery of each message in it.
pub(crate) fn by_position(rows: &[EventRow]) -> HashMap<Position, Vec<(i32, Event)>> {
    let mut events: HashMap<Position, Vec<(i32, Event)>> = HashMap::new();
    // Batch deliveries come first: a delivery precedes what became of it, whatever row holds it.
    let read = || rows.iter().filter_map(|row| Some((row, Event::of(row)?)));
    for (_, event) in read() {
        if let Event::BatchDelivered { handed, until } = event {
            for (position, attempt) in handed {
                let delivered = Event::Delivered { attempt, until };
                events.entry(position).or_default().push((1, delivered));
            }
        }
    }
    for (row, event) in read() {
        if !matches!(event, Event::BatchDelivered { .. }) {
            events
                .entry(row.position)
                .or_default()
                .push((row.serial, event));
        }
    }
    events
}

/// The first deliveries that the batch deliveries among some events tell.
pub(crate) fn first_deliveries_in(rows: &[EventRow]) -> FirstDeliveries {
    let mut first_deliveries = FirstDeliveries::new();
    for row in rows {
        if let Some(Event::BatchDelivered { handed, until }) = Event::of(row) {
            for (position, attempt) in handed {
                let event_position = row.position;
                first_deliveries.entry(position).or_insert(FirstDelivery {
                    attempt,
                    until,
                    event_position,
                });
            }
        }
    }
    first_deliveries
}

/// The first position after another.
pub(crate) fn after(position: Position) -> Position {
    match position.id.as_u128().checked_add(1) {
        Some(next) => Position {
            pos: position.pos,
            id: Uuid::from_u128(next),
        },
        None => Position {
            pos: position.pos.saturating_add(1),
            id: Uuid::nil(),
        },
    }
}
