//! The row of a queue: its numbers and settings.

use longshore_core::{MovingMark, Pause, QueueName, QueueSettings, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::from_str;

use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::rows::state::Count;

/// A queue inside a transaction. Numbers that change are written by [`QueueRow::save`].
#[derive(Clone, Debug, Default)]
pub(crate) struct QueueRow {
    pub(crate) number: i64,
    pub(crate) waiting: i64,
    pub(crate) delayed: i64,
    pub(crate) leased: i64,
    pub(crate) dead: i64,
    pub(crate) turn: i64,
    pub(crate) settings: QueueSettings,
    pub(crate) pause: Option<String>,
    pub(crate) moving: Option<String>,
    changed: bool,
}

impl QueueRow {
    /// Reads the row of a queue; `None` if it does not exist.
    pub(crate) fn find(conn: &Connection, queue: &QueueName) -> Outcome<Option<Self>> {
        let mut statement = conn.prepare_cached(
            "SELECT queue, waiting, delayed, leased, dead, turn, settings, pause, moving
             FROM queue WHERE name = ?1",
        )?;
        Ok(statement.query_row([queue.as_str()], Self::of).optional()?)
    }

    /// Reads the row of a queue, which exists from now on.
    pub(crate) fn ensure(tx: &Tx<'_>, queue: &QueueName) -> Outcome<Self> {
        if let Some(row) = Self::find(tx.conn(), queue)? {
            return Ok(row);
        }
        tx.sql("INSERT INTO queue (name) VALUES (?1)")?
            .execute([queue.as_str()])?;
        Ok(Self {
            number: tx.last_seq(),
            ..Self::default()
        })
    }

    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let settings = row.get_ref(6)?.as_str()?;
        Ok(Self {
            number: row.get(0)?,
            waiting: row.get(1)?,
            delayed: row.get(2)?,
            leased: row.get(3)?,
            dead: row.get(4)?,
            turn: row.get(5)?,
            settings: match settings {
                "{}" => QueueSettings::default(),
                text => from_str(text).unwrap_or_default(),
            },
            pause: row.get(7)?,
            moving: row.get(8)?,
            changed: false,
        })
    }

    /// Messages that still have to be worked.
    pub(crate) fn live(&self) -> u64 {
        (self.waiting + self.delayed + self.leased).max(0) as u64
    }

    /// Whether hand-outs are stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.pause.is_some() || self.moving.is_some()
    }

    /// The pause, if there is one.
    pub(crate) fn paused(&self) -> Option<Pause> {
        from_str(self.pause.as_ref()?).ok().or_else(|| {
            Some(Pause {
                author: String::new(),
                reason: String::new(),
                since: Timestamp::EPOCH,
            })
        })
    }

    /// The mark of a move, if there is one.
    pub(crate) fn moved(&self) -> Option<MovingMark> {
        from_str(self.moving.as_ref()?).ok()
    }

    /// Counts a row that came into `state`.
    pub(crate) fn add(&mut self, state: i64) {
        *self.counted(state) += 1;
    }

    /// Counts a row that left `state`.
    pub(crate) fn remove(&mut self, state: i64) {
        *self.counted(state) -= 1;
    }

    /// Counts a row that went from one state to another.
    pub(crate) fn shift(&mut self, from: i64, to: i64) {
        if Count::of(from) != Count::of(to) {
            self.remove(from);
            self.add(to);
        }
    }

    /// Counts messages that were handed out: they decide which lane goes first.
    pub(crate) fn went(&mut self, messages: u64) {
        if messages > 0 {
            self.changed = true;
            self.turn = self.turn.wrapping_add(messages as i64) & i64::MAX;
        }
    }

    fn counted(&mut self, state: i64) -> &mut i64 {
        self.changed = true;
        match Count::of(state) {
            Count::Waiting => &mut self.waiting,
            Count::Delayed => &mut self.delayed,
            Count::Leased => &mut self.leased,
            Count::Dead => &mut self.dead,
        }
    }

    /// Writes the numbers, if they changed.
    pub(crate) fn save(&self, tx: &Tx<'_>) -> Outcome<()> {
        if self.changed {
            tx.sql(
                "UPDATE queue SET waiting = ?2, delayed = ?3, leased = ?4, dead = ?5, turn = ?6
                 WHERE queue = ?1",
            )?
            .execute(params![
                self.number,
                self.waiting,
                self.delayed,
                self.leased,
                self.dead,
                self.turn
            ])?;
        }
        Ok(())
    }
}
