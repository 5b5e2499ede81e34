//! What is remembered of messages that are gone: given ids and dedup keys, each for a window.

use longshore_core::wire::decode;
use longshore_core::{GroupName, Message, MessageId};
use rusqlite::{OptionalExtension as _, params};

use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::rows::message::{Live, message_id};
use crate::rows::queue::QueueRow;
use crate::rows::state::DEDUP;

/// For each one that comes in, up to this many whose window ended are forgotten.
const FORGOTTEN_AT_ONCE: i64 = 4;

/// Whether a given id is remembered.
pub(crate) fn knows_id(tx: &Tx<'_>, queue: i64, id: MessageId) -> Outcome<bool> {
    Ok(tx
        .sql("SELECT 1 FROM known_id WHERE queue = ?1 AND id = ?2 AND until > ?3")?
        .exists(params![queue, id.as_uuid().as_bytes(), tx.now.as_millis()])?)
}

/// Remembers a given id for the window of its queue, and forgets some whose window ended.
pub(crate) fn remember_id(tx: &Tx<'_>, queue: &QueueRow, id: MessageId) -> Outcome<()> {
    let until = tx.now.plus(queue.settings.id_window());
    tx.sql("INSERT OR REPLACE INTO known_id (queue, id, until) VALUES (?1, ?2, ?3)")?
        .execute(params![
            queue.number,
            id.as_uuid().as_bytes(),
            until.as_millis()
        ])?;
    forget_ids(tx)
}

/// Forgets some ids whose window ended: more than come in, so the table follows its window.
fn forget_ids(tx: &Tx<'_>) -> Outcome<()> {
    let mut ended = tx.sql("SELECT queue, id FROM known_id WHERE until <= ?1 LIMIT ?2")?;
    let keys = ended.query_map([tx.now.as_millis(), FORGOTTEN_AT_ONCE], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let keys: Vec<(i64, Vec<u8>)> = keys.collect::<rusqlite::Result<_>>()?;
    for (queue, id) in keys {
        tx.sql("DELETE FROM known_id WHERE queue = ?1 AND id = ?2")?
            .execute(params![queue, id])?;
    }
    Ok(())
}

/// The message that has a dedup key now.
pub(crate) fn first_with_key(
    tx: &Tx<'_>,
    queue: i64,
    group: &str,
    key: &str,
) -> Outcome<Option<MessageId>> {
    Ok(tx
        .sql("SELECT first FROM dedup WHERE queue = ?1 AND grp = ?2 AND key = ?3 AND until > ?4")?
        .query_row(params![queue, group, key, tx.now.as_millis()], |row| {
            message_id(row, 0)
        })
        .optional()?)
}

/// Remembers the dedup key of a message for its window.
pub(crate) fn remember_key(tx: &Tx<'_>, queue: i64, message: &Message) -> Outcome<()> {
    let Some(dedup) = &message.dedup else {
        return Ok(());
    };
    let until = message.enqueued_at.plus(dedup.window).as_millis();
    if until <= tx.now.as_millis() {
        return Ok(());
    }
    tx.sql(
        "INSERT OR REPLACE INTO dedup (queue, grp, key, first, until) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        queue,
        message.group.as_ref().map_or("", GroupName::as_str),
        dedup.key.as_str(),
        message.id.as_uuid().as_bytes(),
        until
    ])?;
    forget_keys(tx)
}

fn forget_keys(tx: &Tx<'_>) -> Outcome<()> {
    let mut ended = tx.sql("SELECT queue, grp, key FROM dedup WHERE until <= ?1 LIMIT ?2")?;
    let keys = ended.query_map([tx.now.as_millis(), FORGOTTEN_AT_ONCE], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let keys: Vec<(i64, String, String)> = keys.collect::<rusqlite::Result<_>>()?;
    for (queue, group, key) in keys {
        tx.sql("DELETE FROM dedup WHERE queue = ?1 AND grp = ?2 AND key = ?3")?
            .execute(params![queue, group, key])?;
    }
    Ok(())
}

/// Forgets the dedup key of a message that is cancelled, purged or discarded. Its id is
/// forgotten by being gone.
pub(crate) fn forget_key(tx: &Tx<'_>, row: &Live) -> Outcome<()> {
    if row.flags & DEDUP == 0 {
        return Ok(());
    }
    let (head, body): (Vec<u8>, Vec<u8>) = tx
        .sql("SELECT head, body FROM message WHERE seq = ?1")?
        .query_row([row.seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let id = row.id.as_uuid();
    match decode(&head, body.into())
        .ok()
        .and_then(|message| message.dedup)
    {
        Some(dedup) => tx
            .sql("DELETE FROM dedup WHERE queue = ?1 AND grp = ?2 AND key = ?3 AND first = ?4")?
            .execute(params![
                row.queue,
                row.group.as_deref().unwrap_or_default(),
                dedup.key.as_str(),
                id.as_bytes()
            ])?,
        // The key of a damaged row can only be found by the id it names: a scan, but rare.
        None => tx
            .sql("DELETE FROM dedup WHERE queue = ?1 AND first = ?2")?
            .execute(params![row.queue, id.as_bytes()])?,
    };
    Ok(())
}
