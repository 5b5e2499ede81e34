//! What fell due becomes ready, or joins its group.

use rusqlite::params;

use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::rows::group;
use crate::rows::message::{Live, columns};
use crate::rows::queue::QueueRow;
use crate::rows::state::{BACKOFF, BEHIND, DELAYED, SET_ASIDE};

/// At most this many of each kind in one transaction: those that fell due at once are spread
/// over the next receives.
const AT_ONCE: i64 = 256;

/// Promotes what is due by now.
pub(crate) fn promote(tx: &Tx<'_>, queue: &mut QueueRow) -> Outcome<()> {
    for state in [BACKOFF, SET_ASIDE] {
        for mut row in due(tx, queue.number, state)? {
            row.make_ready(tx, queue)?;
        }
    }
    for mut row in due(tx, queue.number, DELAYED)? {
        let place = row.at;
        match row.group.clone() {
            None => row.enter(tx, queue, crate::rows::state::ready_of(row.flags), place)?,
            Some(name) => {
                row.enter(tx, queue, BEHIND, place)?;
                group::admit(tx, queue, &name)?;
            }
        }
    }
    Ok(())
}

fn due(tx: &Tx<'_>, queue: i64, state: i64) -> Outcome<Vec<Live>> {
    let mut statement = tx.sql(concat!(
        "SELECT ",
        columns!(),
        " FROM message WHERE queue = ?1 AND state = ?2 AND at <= ?3 ORDER BY at, seq LIMIT ?4"
    ))?;
    let rows = statement.query_map(params![queue, state, tx.now.as_millis(), AT_ONCE], Live::of)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
