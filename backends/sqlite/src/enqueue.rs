//! Judging and storing new messages.

pub(crate) mod bulk;
pub(crate) mod recent_ids;

use std::time::Duration;

use longshore_core::validate::check_batch;
use longshore_core::wire::encode;
use longshore_core::{
    Enqueued, GroupName, IdOrigin, Message, NewMessage, QueueName, StoreErrorKind, StoreLimits,
};
use rusqlite::params;

use crate::database::transaction::{Tx, new_token};
use crate::enqueue::bulk::is_plain;
use crate::enqueue::recent_ids::{first_with_key, knows_id, remember_key};
use crate::error::Outcome;
use crate::rows::group;
use crate::rows::queue::QueueRow;
use crate::rows::state::{self, BEHIND, DELAYED, flags};

/// When a producer that found a queue full may try again.
const RETRY_FULL: Duration = Duration::from_secs(1);
/// What a message takes beside its body, roughly.
const ROW_BYTES: u64 = 256;

/// Stores a batch. An error leaves nothing behind: the transaction is rolled back.
pub(crate) fn enqueue(
    tx: &Tx<'_>,
    name: &QueueName,
    batch: &[NewMessage],
    limits: &StoreLimits,
) -> Outcome<Vec<Enqueued>> {
    let mut queue = QueueRow::ensure(tx, name)?;
    check_batch(tx.operation, batch, &queue.settings, limits)?;
    let bytes = batch.iter().map(|new| new.body.len() as u64 + ROW_BYTES);
    tx.require_space(bytes.sum())?;
    let expires = queue.settings.expires();
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut left = batch;
    while !left.is_empty() {
        let judged = match left.first_chunk() {
            Some(chunk) if chunk.iter().all(is_plain) => {
                bulk::store(tx, &mut queue, chunk, expires, &mut outcomes)?
            }
            _ => {
                outcomes.push(one(tx, &mut queue, &left[0], expires)?);
                1
            }
        };
        left = &left[judged..];
    }
    check_depth(tx, name, &queue)?;
    queue.save(tx)?;
    Ok(outcomes)
}

fn check_depth(tx: &Tx<'_>, name: &QueueName, queue: &QueueRow) -> Outcome<()> {
    let depth = queue.live();
    match queue.settings.depth_max {
        Some(max) if depth > max => Err(tx
            .refusal(
                StoreErrorKind::Overloaded,
                format!(
                    "the queue would hold {depth} messages, at most {max} are allowed; work some \
                     of them first, or raise depth_max"
                ),
            )
            .with("queue", name)
            .retry_after(RETRY_FULL)
            .into()),
        _ => Ok(()),
    }
}

fn one(
    tx: &Tx<'_>,
    queue: &mut QueueRow,
    new: &NewMessage,
    expires: Option<Duration>,
) -> Outcome<Enqueued> {
    let itself = Enqueued::Duplicate { first: new.id };
    if new.id_origin == IdOrigin::Given && knows_id(tx, queue.number, new.id)? {
        return Ok(itself);
    }
    if let Some(dedup) = &new.dedup {
        if is_here(tx, queue.number, new)? {
            return Ok(itself);
        }
        let scope = new.group.as_ref().map_or("", GroupName::as_str);
        if let Some(first) = first_with_key(tx, queue.number, scope, dedup.key.as_str())? {
            return Ok(Enqueued::Duplicate { first });
        }
    }
    let message = new.stored_at(tx.now, expires);
    if !store(tx, queue, &message)? {
        return Ok(itself);
    }
    remember_key(tx, queue.number, &message)?;
    Ok(Enqueued::Stored)
}

fn is_here(tx: &Tx<'_>, queue: i64, new: &NewMessage) -> Outcome<bool> {
    Ok(tx
        .sql("SELECT 1 FROM message WHERE queue = ?1 AND id = ?2")?
        .exists(params![queue, new.id.as_uuid().as_bytes()])?)
}

/// Stores a message in the state its due time and group say. False if its id is here already,
/// live or dead.
fn store(tx: &Tx<'_>, queue: &mut QueueRow, message: &Message) -> Outcome<bool> {
    let now = tx.now.as_millis();
    let due = message.due_at.as_millis();
    let group = message.group.as_ref().map(GroupName::as_str);
    let state = if due > now {
        DELAYED
    } else if let Some(group) = group
        && (group::is_busy(tx, queue.number, group)?
            || group::first_waiting(tx, queue.number, group)?.is_some())
    {
        BEHIND
    } else {
        state::ready(message.lane)
    };
    let place = due.max(now);
    let inserted = tx
        .sql(
            "INSERT INTO message
               (queue, state, at, token, attempts, flags, due, id, grp, head, body)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (queue, id) DO NOTHING",
        )?
        .execute(params![
            queue.number,
            state,
            place,
            new_token(),
            flags(message),
            due,
            message.id.as_uuid().as_bytes(),
            group,
            encode(message),
            &*message.body
        ])?;
    if inserted == 0 {
        return Ok(false);
    }
    queue.add(state);
    tx.receivable_at(place);
    if let Some(group) = group
        && state == BEHIND
    {
        group::admit(tx, queue, group)?;
    }
    Ok(true)
}
