//! The row of an open epoch.

use longshore_core::{AggregateKey, AggregateRules, Epoch, OpenEpoch, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::aggregate::row::{epoch, number};
use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::rows::message::{count, time};

/// An open epoch.
#[derive(Clone, Debug)]
pub(super) struct OpenRow {
    pub(super) key: String,
    pub(super) rules: i64,
    pub(super) state: OpenEpoch,
    /// What is in the index: never after the time at which somebody has to look.
    look: Option<i64>,
}

/// The columns of an [`OpenRow`], in order.
macro_rules! open_columns {
    () => {
        "key, rules, epoch, parts, bytes, opened, last, ask, asks, look"
    };
}
pub(super) use open_columns;

impl OpenRow {
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let ask: Option<i64> = row.get(7)?;
        Ok(Self {
            key: row.get(0)?,
            rules: row.get(1)?,
            state: OpenEpoch {
                epoch: epoch(row.get(2)?),
                parts: count(row.get(3)?),
                bytes: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
                opened: time(row.get(5)?),
                last: time(row.get(6)?),
                ask_at: ask.map(time),
                asks: row.get(8)?,
            },
            look: row.get(9)?,
        })
    }

    /// The open epoch of a key.
    pub(super) fn find(conn: &Connection, aggregate: i64, key: &str) -> Outcome<Option<Self>> {
        let sql = concat!(
            "SELECT ",
            open_columns!(),
            " FROM open_epoch WHERE aggregate = ?1 AND key = ?2"
        );
        let found = conn
            .prepare_cached(sql)?
            .query_row(params![aggregate, key], Self::of);
        Ok(found.optional()?)
    }

    /// The open epoch of this number and key.
    pub(super) fn find_epoch(
        conn: &Connection,
        aggregate: i64,
        key: &AggregateKey,
        epoch: Epoch,
    ) -> Outcome<Option<Self>> {
        let found = Self::find(conn, aggregate, key.as_str())?;
        Ok(found.filter(|row| row.state.epoch == epoch))
    }

    /// A new one, to be saved.
    pub(super) fn new(key: String, rules: i64, state: OpenEpoch) -> Self {
        Self {
            key,
            rules,
            state,
            look: None,
        }
    }

    /// Notes the time at which somebody has to look. What is in the index stays where it is earlier:
    /// a part moves the end of an epoch away and costs no entry of the index for that.
    pub(super) fn look_by(&mut self, rules: &AggregateRules) {
        let wanted = self.state.look_at(rules).map(Timestamp::as_millis);
        self.look = match (self.look, wanted) {
            (Some(kept), Some(wanted)) => Some(kept.min(wanted)),
            (_, wanted) => wanted,
        };
    }

    /// Notes exactly that time: after somebody looked.
    pub(super) fn look_at(&mut self, rules: &AggregateRules) {
        self.look = self.state.look_at(rules).map(Timestamp::as_millis);
    }

    pub(super) fn save(&self, tx: &Tx<'_>, aggregate: i64) -> Outcome<()> {
        let state = &self.state;
        tx.sql(
            "INSERT INTO open_epoch
               (aggregate, key, rules, epoch, parts, bytes, opened, last, ask, asks, look)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT DO UPDATE SET rules = ?3, epoch = ?4, parts = ?5, bytes = ?6, opened = ?7,
               last = ?8, ask = ?9, asks = ?10, look = ?11",
        )?
        .execute(params![
            aggregate,
            self.key,
            self.rules,
            number(state.epoch),
            state.parts,
            i64::try_from(state.bytes).unwrap_or(i64::MAX),
            state.opened.as_millis(),
            state.last.as_millis(),
            state.ask_at.map(Timestamp::as_millis),
            state.asks,
            self.look,
        ])?;
        Ok(())
    }

    pub(super) fn delete(&self, tx: &Tx<'_>, aggregate: i64) -> Outcome<()> {
        tx.sql("DELETE FROM open_epoch WHERE aggregate = ?1 AND key = ?2")?
            .execute(params![aggregate, self.key])?;
        Ok(())
    }
}
