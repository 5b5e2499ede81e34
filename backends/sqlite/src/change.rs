//! Cancelling, rescheduling and purging what is not in a worker's hands.

use std::collections::BTreeSet;

use longshore_core::{Changed, Due, MessageId, Purged};
use rusqlite::params;

use crate::database::transaction::Tx;
use crate::enqueue::recent_ids::forget_key;
use crate::error::Outcome;
use crate::receive::promote::promote;
use crate::rows::group;
use crate::rows::message::{Live, columns};
use crate::rows::queue::QueueRow;
use crate::rows::state::{self, BACKOFF, BEHIND, DELAYED, LEASED, READY, SET_ASIDE};

/// What a purge removes, in this order: those behind go before the head that would admit them.
/// Of the leased ones it takes those whose lease ended.
const PURGED: [i64; 8] = [
    BEHIND,
    DELAYED,
    LEASED,
    READY,
    READY + 1,
    READY + 2,
    BACKOFF,
    SET_ASIDE,
];

/// Removes a message that nobody works on.
pub(crate) fn cancel(tx: &Tx<'_>, queue: &mut QueueRow, id: MessageId) -> Outcome<Changed> {
    let row = match free(tx, queue, id)? {
        Ok(row) => row,
        Err(refused) => return Ok(refused),
    };
    forget_key(tx, &row)?;
    row.delete(tx, queue)?;
    if let Some(name) = &row.group {
        group::admit(tx, queue, name)?;
    }
    Ok(Changed::Applied)
}

/// Gives a message another due time.
///
/// A head in back-off or with an ended lease was delivered before: it keeps the head and the group
/// waits for it. Any other member leaves the order of its group and joins when it falls due.
pub(crate) fn reschedule(
    tx: &Tx<'_>,
    queue: &mut QueueRow,
    id: MessageId,
    due: Due,
) -> Outcome<Changed> {
    // What fell due joined its group then, whether or not anybody looked.
    promote(tx, queue)?;
    let mut row = match free(tx, queue, id)? {
        Ok(row) => row,
        Err(refused) => return Ok(refused),
    };
    let now = tx.now.as_millis();
    let due = due.resolve(tx.now).as_millis();
    let place = due.max(now);
    row.due = due;
    tx.receivable_at(due);
    let keeps_head = [BACKOFF, SET_ASIDE, LEASED].contains(&row.state);
    let ready = state::ready_of(row.flags);
    match row.group.clone() {
        _ if due > now && keeps_head => row.enter(tx, queue, BACKOFF, due)?,
        Some(name) if due > now => {
            row.enter(tx, queue, DELAYED, due)?;
            group::admit(tx, queue, &name)?;
        }
        None if due > now => row.enter(tx, queue, DELAYED, due)?,
        Some(name) if !keeps_head && row.state != ready => {
            row.enter(tx, queue, BEHIND, place)?;
            group::admit(tx, queue, &name)?;
        }
        _ => row.enter(tx, queue, ready, place)?,
    }
    Ok(Changed::Applied)
}

/// Removes up to `max` messages that nobody works on.
pub(crate) fn purge(tx: &Tx<'_>, queue: &mut QueueRow, max: usize) -> Outcome<Purged> {
    let mut removed = 0;
    let mut groups = BTreeSet::new();
    for state in PURGED {
        if removed == max {
            break;
        }
        for row in some(tx, queue.number, state, max - removed)? {
            forget_key(tx, &row)?;
            row.delete(tx, queue)?;
            removed += 1;
            groups.extend(row.group);
        }
    }
    for name in groups {
        group::admit(tx, queue, &name)?;
    }
    Ok(Purged {
        removed: removed as u64,
        more: queue.waiting + queue.delayed > 0 || !some(tx, queue.number, LEASED, 1)?.is_empty(),
    })
}

/// Rows in a state that nobody works on.
fn some(tx: &Tx<'_>, queue: i64, state: i64, max: usize) -> Outcome<Vec<Live>> {
    let mut statement = tx.sql(concat!(
        "SELECT ",
        columns!(),
        " FROM message WHERE queue = ?1 AND state = ?2 AND at <= ?3 ORDER BY at, seq LIMIT ?4"
    ))?;
    let until = if state == LEASED {
        tx.moment.lease.as_millis()
    } else {
        i64::MAX
    };
    let rows = statement.query_map(params![queue, state, until, max as i64], Live::of)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The live message of an id, if nobody works on it. One with an ended lease is free: until it
/// is changed or delivered again its old receipt is still good.
fn free(tx: &Tx<'_>, queue: &QueueRow, id: MessageId) -> Outcome<Result<Live, Changed>> {
    Ok(match Live::by_id(tx, queue.number, id)? {
        None => Err(Changed::NotFound),
        Some(row) if state::is_dead(row.state) => Err(Changed::NotFound),
        Some(row) if row.state == LEASED && row.at > tx.moment.lease.as_millis() => {
            Err(Changed::Leased)
        }
        Some(row) => Ok(row),
    })
}
