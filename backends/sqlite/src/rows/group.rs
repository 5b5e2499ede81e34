//! Admission of group members: one is ready, leased or in back-off, the others wait apart.

use rusqlite::OptionalExtension as _;
use rusqlite::params;

use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::rows::message::{Live, columns};
use crate::rows::queue::QueueRow;
use crate::rows::state::number;

/// The states of a head and of the dead that hold the group.
const IS_BUSY: &str = concat!(
    "SELECT 1 FROM message INDEXED BY message_group WHERE queue = ?1 AND grp = ?2 AND state BETWEEN ",
    number!(READY),
    " AND ",
    number!(PARKED),
    " LIMIT 1"
);

const FIRST_BEHIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM message INDEXED BY message_group
      WHERE queue = ?1 AND grp = ?2 AND state = ",
    number!(BEHIND),
    " ORDER BY at, seq LIMIT 1"
);

const FIRST_DUE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM message INDEXED BY message_group
      WHERE queue = ?1 AND grp = ?2 AND state = ",
    number!(DELAYED),
    " AND at <= ?3 ORDER BY at, seq LIMIT 1"
);

/// Whether a member is ready, leased or in back-off, or a dead one holds the group.
pub(crate) fn is_busy(tx: &Tx<'_>, queue: i64, group: &str) -> Outcome<bool> {
    Ok(tx.sql(IS_BUSY)?.exists(params![queue, group])?)
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
        next.enter(tx, queue, crate::rows::state::ready_of(next.flags), place)?;
    }
    Ok(())
}

/// The first of those that wait for their turn.
pub(crate) fn first_waiting(tx: &Tx<'_>, queue: i64, group: &str) -> Outcome<Option<Live>> {
    let behind = tx
        .sql(FIRST_BEHIND)?
        .query_row(params![queue, group], Live::of)
        .optional()?;
    let delayed = tx
        .sql(FIRST_DUE)?
        .query_row(params![queue, group, tx.now.as_millis()], Live::of)
        .optional()?;
    Ok([behind, delayed]
        .into_iter()
        .flatten()
        .min_by_key(|member| (member.at, member.seq)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With another index the cost would grow with the members of all groups.
    #[test]
    fn members_are_found_by_their_group() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch(&crate::schema::ddl()).unwrap();
        for (text, bound) in [(IS_BUSY, 2), (FIRST_BEHIND, 2), (FIRST_DUE, 3)] {
            let plan = format!("EXPLAIN QUERY PLAN {text}");
            let bound = rusqlite::params_from_iter(std::iter::repeat_n(1, bound));
            let plan: String = conn.query_row(&plan, bound, |row| row.get(3)).unwrap();
            assert!(
                plan.contains("message_group (queue=? AND grp=? AND state"),
                "{plan}"
            );
        }
    }
}
