//! The cheap look whether a queue has something to hand out.

use longshore_core::{QueueName, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::clock::moment::Moment;
use crate::rows::state::{self, number};

/// What a look saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// How many messages are there, as far as was counted.
    pub(crate) found: usize,
    /// When the next one becomes due, if one does.
    pub(crate) next: Option<Timestamp>,
}

/// Looks for at most `wanted` messages. It reads index entries only.
pub(crate) fn look(
    conn: &Connection,
    queue: &QueueName,
    now: Moment,
    wanted: usize,
) -> rusqlite::Result<Seen> {
    let open: Option<(i64, bool)> = conn
        .prepare_cached(
            "SELECT queue, pause IS NULL AND moving IS NULL FROM queue WHERE name = ?1",
        )?
        .query_row([queue.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((queue, true)) = open else {
        return Ok(Seen::default());
    };
    let mut found: i64 = conn
        .prepare_cached(concat!(
            "SELECT count(*) FROM (SELECT 1 FROM message
                 WHERE queue = ?1 AND state BETWEEN ",
            number!(READY),
            " AND ",
            number!(READY_LOW),
            " LIMIT ?2)"
        ))?
        .query_row(params![queue, wanted as i64], |row| row.get(0))?;
    let mut next = None;
    for waiting in [
        state::LEASED,
        state::BACKOFF,
        state::SET_ASIDE,
        state::DELAYED,
    ] {
        let first: Option<i64> = conn
            .prepare_cached(
                "SELECT at FROM message WHERE queue = ?1 AND state = ?2 ORDER BY at LIMIT 1",
            )?
            .query_row([queue, waiting], |row| row.get(0))
            .optional()?;
        let by = if waiting == state::LEASED {
            now.lease
        } else {
            now.wall
        };
        match first {
            Some(at) if at <= by.as_millis() => found += 1,
            Some(at) => {
                let at = Timestamp::from_millis(at);
                let at = if waiting == state::LEASED {
                    now.by_wall(at)
                } else {
                    at
                };
                next = Some(next.map_or(at, |next: Timestamp| next.min(at)));
            }
            None => {}
        }
    }
    Ok(Seen {
        found: found as usize,
        next,
    })
}
