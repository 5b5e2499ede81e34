//! The numbers of a queue.

use longshore_core::{QueueName, QueueStats, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::clock::moment::Moment;
use crate::error::Outcome;
use crate::rows::message::time;
use crate::rows::queue::QueueRow;
use crate::rows::state::{BACKOFF, DELAYED, LEASED, PARKED, READY, SET_ASIDE};

/// Of those whose lease ended so many are looked at for their age, those that ended first.
const LAPSED_MAX: i64 = 1000;

/// The numbers of a queue; `None` if it does not exist.
pub(crate) fn stats(
    conn: &Connection,
    name: &QueueName,
    now: Moment,
) -> Outcome<Option<QueueStats>> {
    let Some(queue) = QueueRow::find(conn, name)? else {
        return Ok(None);
    };
    // What fell due counts as delayed in the row until a receive looks at it.
    let of = |state, now: Timestamp| until(conn, queue.number, state, now);
    let due = of(BACKOFF, now.wall)? + of(DELAYED, now.wall)?;
    // So does what has an ended lease as leased: nobody works on it any more.
    let lapsed = of(LEASED, now.lease)?;
    let mut stats = QueueStats::default();
    stats.waiting = positive(queue.waiting) + due + lapsed;
    stats.delayed = positive(queue.delayed).saturating_sub(due);
    stats.leased = positive(queue.leased).saturating_sub(lapsed);
    stats.dead = positive(queue.dead);
    stats.parked = within(conn, queue.number, PARKED, i64::MIN, i64::MAX)?;
    stats.set_aside = within(
        conn,
        queue.number,
        SET_ASIDE,
        now.wall.as_millis() + 1,
        i64::MAX,
    )?;
    stats.oldest_age = oldest(conn, queue.number, now)?.map(|at| now.wall.since(at));
    stats.paused = queue.paused();
    stats.moving = queue.moved();
    stats.settings = queue.settings;
    stats.exact = true;
    Ok(Some(stats))
}

fn positive(number: i64) -> u64 {
    number.max(0) as u64
}

fn until(conn: &Connection, queue: i64, state: i64, now: Timestamp) -> Outcome<u64> {
    within(conn, queue, state, i64::MIN, now.as_millis())
}

fn within(conn: &Connection, queue: i64, state: i64, from: i64, to: i64) -> Outcome<u64> {
    let count: i64 = conn
        .prepare_cached(
            "SELECT count(*) FROM message
             WHERE queue = ?1 AND state = ?2 AND at BETWEEN ?3 AND ?4",
        )?
        .query_row([queue, state, from, to], |row| row.get(0))?;
    Ok(positive(count))
}

/// Since when the oldest message that could be handed out has been waiting.
fn oldest(conn: &Connection, queue: i64, now: Moment) -> Outcome<Option<Timestamp>> {
    let mut oldest = None;
    for state in [READY, READY + 1, READY + 2, BACKOFF, DELAYED] {
        let first: Option<i64> = conn
            .prepare_cached(
                "SELECT at FROM message WHERE queue = ?1 AND state = ?2 AND at <= ?3
                 ORDER BY at LIMIT 1",
            )?
            .query_row(params![queue, state, now.wall.as_millis()], |row| {
                row.get(0)
            })
            .optional()?;
        oldest = [oldest, first].into_iter().flatten().min();
    }
    let lapsed: Option<i64> = conn
        .prepare_cached(
            "SELECT min(due) FROM (SELECT due FROM message
             WHERE queue = ?1 AND state = ?2 AND at <= ?3 ORDER BY at LIMIT ?4)",
        )?
        .query_row(
            params![queue, LEASED, now.lease.as_millis(), LAPSED_MAX],
            |row| row.get(0),
        )?;
    Ok([oldest, lapsed].into_iter().flatten().min().map(time))
}
