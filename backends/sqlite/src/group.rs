//! Admission of group members: one is ready, leased or in back-off, the others wait apart.

use rusqlite::OptionalExtension as _;
use rusqlite::params;

use crate::error::Outcome;
use crate::live::{Live, columns};
use crate::queue_row::QueueRow;
use crate::tx::Tx;

/// Whether a member is ready, leased or in back-off, or a dead one holds the group.
pub(crate) fn is_busy(tx: &Tx<'_>, queue: i64, group: &str) -> Outcome<bool> {
    // 10 to 16 are the states of a head and of the dead that hold the group.
    Ok(tx
        .sql(
            "SELECT 1 FROM message
             WHERE queue = ?1 AND grp = ?2 AND state BETWEEN 10 AND 16 LIMIT 1",
        )?
        .exists(params![queue, group])?)
}

/// Admits the next member if nobody is before it: by due time, then by sequence. A delayed
/// member counts from its due time, even if nobody has looked since.
pub(crate) fn admit(tx: &Tx<'_>, queue: &mut QueueRow, group: &str) -> Outcome<()> {
    if is_busy(tx, queue.number, group)? {
        return Ok(());
    }
    if let Some(mut next) = first_waiting(tx, queue.number, group)? {
        // Its place may be later than its due time, and earlier only where it was redriven to
        // the front of its group.
        let place = next.at.max(next.due);
        tx.receivable_at(tx.now.as_millis());
        next.enter(tx, queue, crate::state::ready_of(next.flags), place)?;
    }
    Ok(())
}

/// The first of those that wait for their turn.
pub(crate) fn first_waiting(tx: &Tx<'_>, queue: i64, group: &str) -> Outcome<Option<Live>> {
    let behind = tx
        .sql(concat!(
            "SELECT ",
            columns!(),
            " FROM message WHERE queue = ?1 AND grp = ?2 AND state = 21
              ORDER BY at, seq LIMIT 1"
        ))?
        .query_row(params![queue, group], Live::of)
        .optional()?;
    let delayed = tx
        .sql(concat!(
            "SELECT ",
            columns!(),
            " FROM message WHERE queue = ?1 AND grp = ?2 AND state = 20 AND at <= ?3
              ORDER BY at, seq LIMIT 1"
        ))?
        .query_row(params![queue, group, tx.now.as_millis()], Live::of)
        .optional()?;
    Ok([behind, delayed]
        .into_iter()
        .flatten()
        .min_by_key(|member| (member.at, member.seq)))
}
