//! Storing plain messages, many to a statement.
//!
//! Each statement opens a cursor on the table and on each of its indexes. For a batch of small
//! messages that is a good part of the work, so they share one.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use longshore_core::wire::encode_new;
use longshore_core::{Enqueued, IdOrigin, NewMessage};
use rusqlite::ErrorCode;

use crate::database::transaction::{Tx, new_token};
use crate::error::Outcome;
use crate::rows::queue::QueueRow;
use crate::rows::state;

/// Messages that share a statement.
pub(crate) const ROWS: usize = 32;

/// Parameters that all rows share: the queue and the time.
const SHARED: usize = 2;
/// Parameters of each row.
const OWN: usize = 6;

/// `OR FAIL`, so that an id that is here already ends the statement but keeps the rows before
/// it: their number says which one it was, and SQLite needs no journal to undo them.
static INSERT: LazyLock<String> = LazyLock::new(|| {
    let mut text = String::from(
        "INSERT OR FAIL INTO message
           (queue, state, at, token, attempts, flags, due, id, grp, head, body) VALUES ",
    );
    for row in 0..ROWS {
        let [state, token, flags, id, head, body] =
            std::array::from_fn::<_, OWN, _>(|own| SHARED + row * OWN + own + 1);
        let comma = if row == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{comma}(?1, ?{state}, ?2, ?{token}, 0, ?{flags}, ?2, ?{id}, NULL, ?{head}, ?{body})"
        );
    }
    text
});

/// Whether a message needs nothing but a row: its id is fresh, it is due at once, and neither a
/// group nor a key has a say.
pub(crate) fn is_plain(new: &NewMessage) -> bool {
    new.id_origin == IdOrigin::Fresh
        && new.due.is_none()
        && new.group.is_none()
        && new.dedup.is_none()
}

/// Stores [`ROWS`] plain messages up to the first whose id is here already, that one included in
/// the outcomes; answers how many of them were judged.
pub(crate) fn store(
    tx: &Tx<'_>,
    queue: &mut QueueRow,
    batch: &[NewMessage; ROWS],
    expires: Option<Duration>,
    outcomes: &mut Vec<Enqueued>,
) -> Outcome<usize> {
    let mut insert = tx.sql(&INSERT)?;
    insert.raw_bind_parameter(1, queue.number)?;
    insert.raw_bind_parameter(2, tx.now.as_millis())?;
    let mut head = Vec::new();
    for (row, new) in batch.iter().enumerate() {
        encode_new(new, tx.now, expires, &mut head);
        let at = SHARED + row * OWN;
        insert.raw_bind_parameter(at + 1, state::ready(new.lane))?;
        insert.raw_bind_parameter(at + 2, new_token())?;
        insert.raw_bind_parameter(at + 3, state::lane_flags(new.lane))?;
        insert.raw_bind_parameter(at + 4, new.id.as_uuid().as_bytes())?;
        insert.raw_bind_parameter(at + 5, &*head)?;
        insert.raw_bind_parameter(at + 6, &*new.body)?;
    }
    let stored = match insert.raw_execute() {
        Ok(stored) => stored,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            usize::try_from(tx.conn().changes()).unwrap_or(0)
        }
        Err(error) => return Err(error.into()),
    };
    let stored = &batch[..stored.min(ROWS)];
    for new in stored {
        queue.add(state::ready(new.lane));
        outcomes.push(Enqueued::Stored);
    }
    if !stored.is_empty() {
        tx.receivable_at(tx.now.as_millis());
    }
    if let Some(known) = batch.get(stored.len()) {
        outcomes.push(Enqueued::Duplicate { first: known.id });
    }
    Ok(ROWS.min(stored.len() + 1))
}
