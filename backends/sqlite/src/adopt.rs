//! Taking over messages of another queue or store.

use longshore_core::{Adopted, Content, GroupName, MessageState, StoredMessage};
use rusqlite::params;

use crate::database::transaction::{Tx, new_token};
use crate::enqueue::recent_ids::{first_with_key, remember_key};
use crate::error::Outcome;
use crate::rows::detail::Detail;
use crate::rows::group;
use crate::rows::message::Live;
use crate::rows::queue::QueueRow;
use crate::rows::state::{self, BACKOFF, BEHIND, DEAD, DELAYED, PARKED, flags};

/// Takes over one message.
pub(crate) fn adopt(tx: &Tx<'_>, queue: &mut QueueRow, stored: &StoredMessage) -> Outcome<Adopted> {
    let group = stored.group().map(GroupName::as_str);
    let now = tx.now.as_millis();
    let due = stored.due_at.as_millis();
    let (state, at) = match &stored.state {
        MessageState::Dead(mark) if mark.parks_group && group.is_some() => {
            (PARKED, mark.dead_at.as_millis())
        }
        MessageState::Dead(mark) => (DEAD, mark.dead_at.as_millis()),
        _ if due > now => (delayed(tx, queue, stored, group)?, due),
        // It keeps its place: a group is worked by due time here as there.
        _ => (BEHIND, due),
    };
    let Some(mut row) = insert(tx, queue, stored, (state, at))? else {
        return Ok(Adopted::Known);
    };
    detail(stored).write(tx, &mut row)?;
    tx.sql("UPDATE message SET flags = ?2 WHERE seq = ?1")?
        .execute([row.seq, row.flags])?;
    adopt_key(tx, queue, stored)?;
    tx.receivable_at(at);
    match &row.group {
        None if state == BEHIND => row.enter(tx, queue, state::ready_of(row.flags), at)?,
        Some(name) if state == BEHIND => group::admit(tx, queue, name)?,
        _ => {}
    }
    Ok(Adopted::Stored)
}

/// A message that was delivered before backs off at the head of its group; so it does after a
/// move, if it is the first of its group here.
fn delayed(
    tx: &Tx<'_>,
    queue: &QueueRow,
    stored: &StoredMessage,
    group: Option<&str>,
) -> Outcome<i64> {
    if stored.attempts == 0 {
        return Ok(DELAYED);
    }
    let Some(group) = group else {
        return Ok(BACKOFF);
    };
    let first = !group::is_busy(tx, queue.number, group)?
        && group::first_waiting(tx, queue.number, group)?.is_none();
    Ok(if first { BACKOFF } else { DELAYED })
}

fn insert(
    tx: &Tx<'_>,
    queue: &mut QueueRow,
    stored: &StoredMessage,
    (state, at): (i64, i64),
) -> Outcome<Option<Live>> {
    let (flags, head, body) = match &stored.content {
        Content::Intact(message) => (
            flags(message),
            longshore_core::wire::encode(message),
            &message.body,
        ),
        Content::Damaged { head, body, .. } => (
            state::lane_flags(longshore_core::Lane::Normal),
            head.to_vec(),
            body,
        ),
    };
    let id = stored.id();
    let group = stored.group().map(|group| group.as_str().to_owned());
    let inserted = tx
        .sql(
            "INSERT INTO message
               (queue, state, at, token, attempts, flags, due, id, grp, head, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (queue, id) DO NOTHING",
        )?
        .execute(params![
            queue.number,
            state,
            at,
            new_token(),
            stored.attempts,
            flags,
            stored.due_at.as_millis(),
            id.as_uuid().as_bytes(),
            group,
            head,
            &**body
        ])?;
    if inserted == 0 {
        return Ok(None);
    }
    queue.add(state);
    Live::by_seq(tx, tx.last_seq())
}

fn detail(stored: &StoredMessage) -> Detail {
    let mark = stored.dead();
    Detail {
        recorded_through: stored.recorded_through,
        history: stored.history.clone(),
        checkpoint: stored.checkpoint.clone(),
        reason: mark.map(|mark| mark.reason),
        error: mark.and_then(|mark| mark.error.clone()),
    }
}

/// A dedup key moves with its message, unless it has an owner here.
fn adopt_key(tx: &Tx<'_>, queue: &QueueRow, stored: &StoredMessage) -> Outcome<()> {
    let Some(message) = stored.message() else {
        return Ok(());
    };
    let Some(dedup) = &message.dedup else {
        return Ok(());
    };
    let scope = message.group.as_ref().map_or("", GroupName::as_str);
    if first_with_key(tx, queue.number, scope, dedup.key.as_str())?.is_none() {
        remember_key(tx, queue.number, message)?;
    }
    Ok(())
}
