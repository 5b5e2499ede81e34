//! Reading whole buckets, page by page.

use std::collections::{HashMap, HashSet};

use longshore_core::Result;
use uuid::Uuid;

use crate::protocol::event::Fact;
use crate::protocol::storage::{Bucket, FactRow, MessageRow, Rows, Spot};
use crate::shard::buckets::progress::{FirstDelivery, Rolled};

/// Messages of one page.
const MESSAGES: usize = 500;

/// Facts or spots of one page.
pub(crate) const SMALL: usize = 2000;

/// One page of messages from a spot on, and where the next one begins; `None` at the end.
pub(crate) async fn messages_after(
    rows: &dyn Rows,
    bucket: Bucket,
    from: Spot,
) -> Result<Option<(Vec<MessageRow>, Option<Spot>)>> {
    let page = rows.messages(bucket, from, MESSAGES).await?;
    let Some(last) = page.last() else {
        return Ok(None);
    };
    let next = (page.len() >= MESSAGES).then(|| after(last.spot));
    Ok(Some((page, next)))
}

/// All spots of a bucket.
pub(crate) async fn spots_in(rows: &dyn Rows, bucket: Bucket) -> Result<Vec<Spot>> {
    let mut all = Vec::new();
    let mut from = Spot::FIRST;
    loop {
        let page = rows.spots(bucket, from, SMALL).await?;
        let is_last = page.len() < SMALL;
        all.extend(page);
        match all.last() {
            Some(last) if !is_last => from = after(*last),
            _ => return Ok(all),
        }
    }
}

/// All facts of a bucket.
pub(crate) async fn facts_in(rows: &dyn Rows, bucket: Bucket) -> Result<Vec<FactRow>> {
    facts_between(rows, bucket, (Spot::FIRST, Spot::LAST), SMALL).await
}

/// The facts of a bucket that lie from one spot to another, so many at a time.
pub(crate) async fn facts_between(
    rows: &dyn Rows,
    bucket: Bucket,
    (first, last): (Spot, Spot),
    at_a_time: usize,
) -> Result<Vec<FactRow>> {
    let mut all: Vec<FactRow> = Vec::new();
    let mut from = (first, i32::MIN, i8::MIN);
    loop {
        let page = rows.facts(bucket, from, at_a_time).await?;
        let is_last = page.len() < at_a_time;
        let here = page.partition_point(|row| row.spot <= last);
        let goes_on = !is_last && here == page.len();
        all.extend(page.into_iter().take(here));
        match all.last() {
            Some(last) if goes_on => from = (last.spot, last.serial, last.what.saturating_add(1)),
            _ => return Ok(all),
        }
    }
}

/// Those of some spots in their order whose messages are done, and perhaps others between them.
pub(crate) async fn done_among(
    rows: &dyn Rows,
    bucket: Bucket,
    spots: &[Spot],
) -> Result<HashSet<Spot>> {
    let (Some(first), Some(last)) = (spots.first(), spots.last()) else {
        return Ok(HashSet::new());
    };
    // Most have one fact, and some of those before them tell of many.
    let expected = spots.len() + spots.len() / 8 + 16;
    let facts = facts_between(rows, bucket, (*first, *last), expected.min(SMALL)).await?;
    let ends = facts.iter();
    let ends = ends.filter(|row| matches!(Fact::of(row), Some(Fact::Done { .. })));
    Ok(ends.map(|row| row.spot).collect())
}

/// The facts about each message, in the order of their serials. A roll becomes one delivery of
/// each message in it.
pub(crate) fn by_spot(rows: &[FactRow]) -> HashMap<Spot, Vec<(i32, Fact)>> {
    let mut facts: HashMap<Spot, Vec<(i32, Fact)>> = HashMap::new();
    // Rolls come first: a delivery precedes what became of it, whatever row holds it.
    let read = || rows.iter().filter_map(|row| Some((row, Fact::of(row)?)));
    for (_, fact) in read() {
        if let Fact::Roll { handed, until } = fact {
            for (spot, attempt) in handed {
                let delivered = Fact::Delivered { attempt, until };
                facts.entry(spot).or_default().push((1, delivered));
            }
        }
    }
    for (row, fact) in read() {
        if !matches!(fact, Fact::Roll { .. }) {
            facts.entry(row.spot).or_default().push((row.serial, fact));
        }
    }
    facts
}

/// The first deliveries that the rolls among some facts tell.
pub(crate) fn rolled_in(rows: &[FactRow]) -> Rolled {
    let mut rolled = Rolled::new();
    for row in rows {
        if let Some(Fact::Roll { handed, until }) = Fact::of(row) {
            for (spot, attempt) in handed {
                let told_at = row.spot;
                rolled.entry(spot).or_insert(FirstDelivery {
                    attempt,
                    until,
                    told_at,
                });
            }
        }
    }
    rolled
}

/// The first spot after another.
pub(crate) fn after(spot: Spot) -> Spot {
    match spot.id.as_u128().checked_add(1) {
        Some(next) => Spot {
            pos: spot.pos,
            id: Uuid::from_u128(next),
        },
        None => Spot {
            pos: spot.pos.saturating_add(1),
            id: Uuid::nil(),
        },
    }
}
