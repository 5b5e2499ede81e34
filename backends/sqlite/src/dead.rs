//! Dead letters: dead-lettering, redriving, discarding.

use longshore_core::wire::{decode, encode};
use longshore_core::{Changed, DeadReason, Message, MessageId};
use rusqlite::params;

use crate::database::transaction::Tx;
use crate::enqueue::recent_ids::forget_key;
use crate::error::Outcome;
use crate::rows::detail::Detail;
use crate::rows::group;
use crate::rows::message::Live;
use crate::rows::queue::QueueRow;
use crate::rows::state::{self, BEHIND, DEAD, PARKED};

/// Moves a message to the dead letters and admits its successor, unless it is to hold its group.
pub(crate) fn dead_letter(
    tx: &Tx<'_>,
    queue: &mut QueueRow,
    row: &mut Live,
    mut detail: Detail,
    (reason, error): (DeadReason, String),
    park_group: bool,
) -> Outcome<()> {
    detail.reason = Some(reason);
    detail.error = Some(error);
    detail.write(tx, row)?;
    let state = if park_group && row.group.is_some() {
        PARKED
    } else {
        DEAD
    };
    row.enter(tx, queue, state, tx.now.as_millis())?;
    match &row.group {
        Some(name) => group::admit(tx, queue, name),
        None => Ok(()),
    }
}

/// Makes a dead letter live again: at the tail, or as the head of the group that it holds.
pub(crate) fn redrive(tx: &Tx<'_>, queue: &mut QueueRow, id: MessageId) -> Outcome<Changed> {
    let Some(mut row) = dead(tx, queue, id)? else {
        return Ok(Changed::NotFound);
    };
    let Some(message) = message(tx, &row)? else {
        return Ok(Changed::Unreadable);
    };
    clear_expiry(tx, &row, message)?;
    let mut detail = Detail::read(tx.conn(), row.seq, row.flags)?;
    let parked = row.state == PARKED;
    if !parked {
        to_the_end(tx, &mut row)?;
    }
    detail.recorded_through = 0;
    detail.checkpoint = None;
    detail.reason = None;
    detail.error = None;
    detail.write(tx, &mut row)?;
    let now = tx.now.as_millis();
    row.attempts = 0;
    row.due = now;
    let Some(name) = row.group.clone() else {
        row.make_ready(tx, queue)?;
        return Ok(Changed::Applied);
    };
    let place = match group::first_waiting(tx, queue.number, &name)? {
        // Before all others: it was before them when it died.
        Some(first) if parked => first.at.min(now) - 1,
        _ => now,
    };
    row.enter(tx, queue, BEHIND, place)?;
    group::admit(tx, queue, &name)?;
    Ok(Changed::Applied)
}

/// Removes a dead letter and admits whom it held back.
pub(crate) fn discard(tx: &Tx<'_>, queue: &mut QueueRow, id: MessageId) -> Outcome<Changed> {
    let Some(row) = dead(tx, queue, id)? else {
        return Ok(Changed::NotFound);
    };
    forget_key(tx, &row)?;
    row.delete(tx, queue)?;
    if let Some(name) = &row.group {
        group::admit(tx, queue, name)?;
    }
    Ok(Changed::Applied)
}

fn dead(tx: &Tx<'_>, queue: &QueueRow, id: MessageId) -> Outcome<Option<Live>> {
    let row = Live::by_id(tx, queue.number, id)?;
    Ok(row.filter(|row| state::is_dead(row.state)))
}

fn message(tx: &Tx<'_>, row: &Live) -> Outcome<Option<Message>> {
    let (head, body): (Vec<u8>, Vec<u8>) = tx
        .sql("SELECT head, body FROM message WHERE seq = ?1")?
        .query_row([row.seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(decode(&head, body.into()).ok())
}

fn clear_expiry(tx: &Tx<'_>, row: &Live, mut message: Message) -> Outcome<()> {
    if message.expires_at.take().is_some() {
        tx.sql("UPDATE message SET head = ?2 WHERE seq = ?1")?
            .execute(params![row.seq, encode(&message)])?;
    }
    Ok(())
}

/// Gives the row a new number, behind all others.
fn to_the_end(tx: &Tx<'_>, row: &mut Live) -> Outcome<()> {
    let last: i64 = tx
        .sql("SELECT max(seq) FROM message")?
        .query_row((), |row| row.get(0))?;
    let seq = last + 1;
    tx.sql("UPDATE message SET seq = ?2 WHERE seq = ?1")?
        .execute([row.seq, seq])?;
    tx.sql("UPDATE detail SET seq = ?2 WHERE seq = ?1")?
        .execute([row.seq, seq])?;
    row.seq = seq;
    Ok(())
}
