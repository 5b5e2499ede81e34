//! From columns to rows.

use bytes::Bytes;
use scylla::value::MaybeUnset;
use uuid::Uuid;

use crate::protocol::storage::{EventRow, MessageRow, NotificationKind, Position, Stream};

/// A row of `message` as the driver reads it.
pub(super) type MessageColumns = (
    i64,
    Vec<u8>,
    Option<i16>,
    Option<i8>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<Bytes>,
    Option<Bytes>,
    Option<Bytes>,
);

/// A row of `message_event` as the driver reads it.
pub(super) type EventColumns = (i64, Vec<u8>, i32, i8, Option<Bytes>);

pub(super) fn position(pos: i64, id: &[u8]) -> Position {
    let id = Uuid::from_slice(id).unwrap_or_default();
    Position { pos, id }
}

/// What a row does not say is as it is with most messages: a cell less costs less.
pub(super) fn message_row(stream: Stream, columns: MessageColumns) -> MessageRow {
    let (pos, id, revision, lane, group, due_ms, sequence, head, body, start) = columns;
    MessageRow {
        position: position(pos, &id),
        revision: revision.unwrap_or_default(),
        lane: lane.unwrap_or(stream.kind),
        group,
        due_ms: due_ms.unwrap_or(pos / 1000),
        sequence: sequence.unwrap_or(pos),
        head: head.unwrap_or_default(),
        body: body.unwrap_or_default(),
        start: start.unwrap_or_default(),
    }
}

/// A value, unless it is the one that a missing cell stands for.
pub(super) fn unless<T: Copy + PartialEq>(value: T, usual: T) -> MaybeUnset<T> {
    if value == usual {
        MaybeUnset::Unset
    } else {
        MaybeUnset::Set(value)
    }
}

pub(super) fn event_row((pos, id, serial, what, detail): EventColumns) -> EventRow {
    EventRow {
        position: position(pos, &id),
        serial,
        what,
        detail: detail.unwrap_or_default(),
    }
}

pub(super) fn rung(number: i8) -> NotificationKind {
    match number {
        0 => NotificationKind::Messages,
        1 => NotificationKind::Events,
        _ => NotificationKind::Wanted,
    }
}
