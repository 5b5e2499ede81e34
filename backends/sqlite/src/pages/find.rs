//! Messages as operators see them.

use bytes::Bytes;
use longshore_core::wire::decode;
use longshore_core::{Content, DeadMark, DeadReason, MessageId, MessageState, StoredMessage};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::clock::moment::Moment;
use crate::error::Outcome;
use crate::rows::detail::Detail;
use crate::rows::message::{Live, columns, time};
use crate::rows::state::{self, BACKOFF, DELAYED, LEASED, PARKED};

/// The columns of a [`Seen`], in order.
macro_rules! seen_columns {
    () => {
        concat!(crate::rows::message::columns!(), ", head, body")
    };
}
pub(crate) use seen_columns;

/// A row as it was read.
pub(crate) struct Seen {
    pub(crate) row: Live,
    head: Bytes,
    body: Bytes,
}

impl Seen {
    /// Reads the columns of [`seen_columns`].
    pub(crate) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let bytes = |column: usize| -> rusqlite::Result<Bytes> {
            let value = row.get_ref(column)?;
            Ok(Bytes::copy_from_slice(value.as_blob().unwrap_or_default()))
        };
        Ok(Self {
            row: Live::of(row)?,
            head: bytes(10)?,
            body: bytes(11)?,
        })
    }

    /// What is shown of it.
    pub(crate) fn view(self, conn: &Connection, now: Moment) -> Outcome<StoredMessage> {
        let Self { row, head, body } = self;
        let detail = Detail::read(conn, row.seq, row.flags)?;
        let content = match decode(&head, body.clone()) {
            Ok(message) => Content::Intact(message),
            Err(_) => Content::Damaged {
                id: row.id,
                head,
                body,
            },
        };
        let shown = shown(&row, &detail, now);
        let mut view = StoredMessage::of(content, shown, time(row.due));
        view.attempts = row.attempts;
        view.recorded_through = detail.recorded_through;
        view.history = detail.history;
        view.checkpoint = detail.checkpoint;
        Ok(view)
    }
}

fn shown(row: &Live, detail: &Detail, now: Moment) -> MessageState {
    match row.state {
        LEASED if row.at > now.lease.as_millis() => MessageState::Leased {
            until: now.by_wall(time(row.at)),
        },
        BACKOFF | DELAYED if row.at > now.wall.as_millis() => MessageState::Delayed,
        dead if state::is_dead(dead) => MessageState::Dead(DeadMark::new(
            detail.reason.unwrap_or(DeadReason::Requested),
            detail.error.clone(),
            time(row.at),
            dead == PARKED,
        )),
        _ => MessageState::Waiting,
    }
}

/// Looks up one message.
pub(crate) fn find(
    conn: &Connection,
    queue: i64,
    id: MessageId,
    now: Moment,
) -> Outcome<Option<StoredMessage>> {
    let seen = conn
        .prepare_cached(concat!(
            "SELECT ",
            columns!(),
            ", head, body FROM message WHERE queue = ?1 AND id = ?2"
        ))?
        .query_row(params![queue, id.as_uuid().as_bytes()], Seen::of)
        .optional()?;
    seen.map(|seen| seen.view(conn, now)).transpose()
}
