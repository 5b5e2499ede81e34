//! Rows of messages inside a transaction: reading what steers them, changing their state.

use longshore_core::{MessageId, Timestamp};
use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use crate::database::transaction::{Tx, new_token};
use crate::error::Outcome;
use crate::rows::queue::QueueRow;
use crate::rows::state::{self, DETAIL, GIVEN};

/// What steers a message; its stored form is not read.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) seq: i64,
    pub(crate) queue: i64,
    pub(crate) state: i64,
    pub(crate) at: i64,
    pub(crate) token: i64,
    pub(crate) attempts: u32,
    pub(crate) flags: i64,
    pub(crate) due: i64,
    pub(crate) id: MessageId,
    pub(crate) group: Option<String>,
}

/// The columns of a [`Live`], in order.
macro_rules! columns {
    () => {
        "seq, queue, state, at, token, attempts, flags, due, id, grp"
    };
}
pub(crate) use columns;

impl Live {
    /// Reads the columns of [`columns`].
    pub(crate) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            queue: row.get(1)?,
            state: row.get(2)?,
            at: row.get(3)?,
            token: row.get(4)?,
            attempts: count(row.get(5)?),
            flags: row.get(6)?,
            due: row.get(7)?,
            id: message_id(row, 8)?,
            group: row.get(9)?,
        })
    }

    /// The row with this number.
    pub(crate) fn by_seq(tx: &Tx<'_>, seq: i64) -> Outcome<Option<Self>> {
        Ok(tx
            .sql(concat!(
                "SELECT ",
                columns!(),
                " FROM message WHERE seq = ?1"
            ))?
            .query_row([seq], Self::of)
            .optional()?)
    }

    /// The row of an id.
    pub(crate) fn by_id(tx: &Tx<'_>, queue: i64, id: MessageId) -> Outcome<Option<Self>> {
        Ok(tx
            .sql(concat!(
                "SELECT ",
                columns!(),
                " FROM message WHERE queue = ?1 AND id = ?2"
            ))?
            .query_row(params![queue, id.as_uuid().as_bytes()], Self::of)
            .optional()?)
    }

    /// Whether the id was given by the caller.
    pub(crate) fn is_given(&self) -> bool {
        self.flags & GIVEN != 0
    }

    /// Whether there is a detail row.
    pub(crate) fn has_detail(&self) -> bool {
        self.flags & DETAIL != 0
    }

    /// Puts the message in another state. Its receipt, if it has one, is used up.
    pub(crate) fn enter(
        &mut self,
        tx: &Tx<'_>,
        queue: &mut QueueRow,
        state: i64,
        at: i64,
    ) -> Outcome<()> {
        queue.shift(self.state, state);
        self.state = state;
        self.at = at;
        self.token = new_token();
        tx.sql(
            "UPDATE message SET state = ?2, at = ?3, token = ?4, attempts = ?5, flags = ?6, due = ?7
             WHERE seq = ?1",
        )?
        .execute(params![
            self.seq,
            state,
            at,
            self.token,
            self.attempts,
            self.flags,
            self.due
        ])?;
        Ok(())
    }

    /// Makes the message ready, at the place of its due time.
    pub(crate) fn make_ready(&mut self, tx: &Tx<'_>, queue: &mut QueueRow) -> Outcome<()> {
        tx.receivable_at(tx.now.as_millis());
        self.enter(tx, queue, state::ready_of(self.flags), self.due)
    }

    /// Removes the message and what lies beside it.
    pub(crate) fn delete(&self, tx: &Tx<'_>, queue: &mut QueueRow) -> Outcome<()> {
        queue.remove(self.state);
        tx.sql("DELETE FROM message WHERE seq = ?1")?
            .execute([self.seq])?;
        if self.has_detail() {
            tx.sql("DELETE FROM detail WHERE seq = ?1")?
                .execute([self.seq])?;
        }
        Ok(())
    }
}

/// The id in a column. One that is no id is shown as the nil id, never an error.
pub(crate) fn message_id(row: &Row<'_>, column: usize) -> rusqlite::Result<MessageId> {
    let bytes = row.get_ref(column)?.as_blob().unwrap_or_default();
    let uuid = Uuid::from_slice(bytes).unwrap_or_default();
    Ok(MessageId::from_uuid(uuid))
}

/// A count in a column; damaged ones are kept in range.
pub(crate) fn count(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

/// A time in a column.
pub(crate) fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}
