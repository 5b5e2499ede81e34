//! The row of a closed epoch.

use std::sync::Arc;

use longshore_core::{
    AggregateKey, AggregateRules, CompletedBy, Epoch, EpochInfo, EpochState, OpenEpoch, Timestamp,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::aggregate::open_row::OpenRow;
use crate::aggregate::row::{AggregateRow, epoch, number};
use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::rows::message::{count, time};

/// It waits for its release, or a worker has it.
pub(super) const WAITS: i64 = 1;
/// It is done and only remembered.
pub(super) const DONE: i64 = 2;

/// A closed epoch.
#[derive(Clone, Debug)]
pub(super) struct ClosedRow {
    pub(super) key: String,
    pub(super) rules: i64,
    /// As it was when it closed.
    pub(super) was: OpenEpoch,
    pub(super) closed: Timestamp,
    pub(super) by: CompletedBy,
    pub(super) is_set_aside: bool,
    pub(super) state: i64,
    pub(super) at: i64,
    pub(super) token: i64,
}

/// The columns of a [`ClosedRow`], in order.
macro_rules! closed_columns {
    () => {
        "epoch, key, rules, parts, bytes, opened, last, closed, by, aside, state, at, token"
    };
}
pub(super) use closed_columns;

impl ClosedRow {
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let by: String = row.get(8)?;
        Ok(Self {
            key: row.get(1)?,
            rules: row.get(2)?,
            was: OpenEpoch {
                epoch: epoch(row.get(0)?),
                parts: count(row.get(3)?),
                bytes: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
                opened: time(row.get(5)?),
                last: time(row.get(6)?),
                ask_at: None,
                asks: false,
            },
            closed: time(row.get(7)?),
            by: CompletedBy::of(&by).unwrap_or(CompletedBy::Force),
            is_set_aside: row.get(9)?,
            state: row.get(10)?,
            at: row.get(11)?,
            token: row.get(12)?,
        })
    }

    /// A closed epoch of this number.
    pub(super) fn find(conn: &Connection, aggregate: i64, epoch: Epoch) -> Outcome<Option<Self>> {
        let sql = concat!(
            "SELECT ",
            closed_columns!(),
            " FROM closed_epoch WHERE aggregate = ?1 AND epoch = ?2"
        );
        let found = conn
            .prepare_cached(sql)?
            .query_row(params![aggregate, number(epoch)], Self::of);
        Ok(found.optional()?)
    }

    /// Whether an epoch of the key was closed and is still remembered.
    pub(super) fn was_closed(
        conn: &Connection,
        aggregate: i64,
        key: &str,
        now: Timestamp,
    ) -> Outcome<bool> {
        let mut statement = conn.prepare_cached(
            "SELECT 1 FROM closed_epoch
             WHERE aggregate = ?1 AND key = ?2 AND aside = 0 AND (state = 1 OR at > ?3) LIMIT 1",
        )?;
        Ok(statement.exists(params![aggregate, key, now.as_millis()])?)
    }

    /// Closes an open epoch, whose row is gone or never was.
    pub(super) fn close(
        tx: &Tx<'_>,
        row: &mut AggregateRow,
        open: &OpenRow,
        by: CompletedBy,
        is_set_aside: bool,
    ) -> Outcome<Self> {
        let closed = Self {
            key: open.key.clone(),
            rules: open.rules,
            was: open.state,
            closed: tx.now,
            by,
            is_set_aside,
            state: WAITS,
            at: tx.now.as_millis(),
            token: 0,
        };
        row.counts.closed += u64::from(closed.was.parts);
        row.counts.closed_epochs += 1;
        tx.sql(concat!(
            "INSERT INTO closed_epoch (aggregate, ",
            closed_columns!(),
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        ))?
        .execute(params![
            row.number,
            number(closed.was.epoch),
            closed.key,
            closed.rules,
            closed.was.parts,
            i64::try_from(closed.was.bytes).unwrap_or(i64::MAX),
            closed.was.opened.as_millis(),
            closed.was.last.as_millis(),
            closed.closed.as_millis(),
            closed.by.as_str(),
            closed.is_set_aside,
            closed.state,
            closed.at,
            closed.token,
        ])?;
        Ok(closed)
    }

    /// Puts it at another time, under another token.
    pub(super) fn put(&mut self, tx: &Tx<'_>, aggregate: i64, at: i64, token: i64) -> Outcome<()> {
        (self.at, self.token) = (at, token);
        tx.sql(
            "UPDATE closed_epoch SET state = ?3, at = ?4, token = ?5
             WHERE aggregate = ?1 AND epoch = ?2",
        )?
        .execute(params![
            aggregate,
            number(self.was.epoch),
            self.state,
            at,
            token
        ])?;
        Ok(())
    }

    /// Ends it: its bodies go, its ids and its key are remembered.
    pub(super) fn end(
        mut self,
        tx: &Tx<'_>,
        row: &mut AggregateRow,
        rules: &AggregateRules,
    ) -> Outcome<()> {
        row.counts.closed -= u64::from(self.was.parts);
        row.counts.closed_epochs -= 1;
        tx.sql("UPDATE part SET head = x'', body = x'' WHERE aggregate = ?1 AND epoch = ?2")?
            .execute(params![row.number, number(self.was.epoch)])?;
        self.state = DONE;
        let until = self.closed.plus(rules.remember());
        self.put(tx, row.number, until.as_millis(), 0)
    }

    /// Until when a worker has it.
    pub(super) fn leased_until(&self, now: Timestamp) -> Option<Timestamp> {
        (self.token != 0 && self.at > now.as_millis()).then(|| time(self.at))
    }

    /// What there is to know of it; `None` where its key is none, by a hand in the file.
    pub(super) fn info(&self, rules: Arc<AggregateRules>, now: Timestamp) -> Option<EpochInfo> {
        let state = EpochState::Closed {
            by: self.by,
            at: self.closed,
            leased_until: self.leased_until(now),
            is_set_aside: self.is_set_aside,
        };
        let key = AggregateKey::new(&self.key).ok()?;
        Some(EpochInfo::new(key, &self.was, rules, state))
    }
}

/// Forgets up to `max` epochs whose time is over, with the ids of their parts, until that many parts
/// are gone: a transaction is to be short.
pub(super) fn forget(tx: &Tx<'_>, aggregate: i64, max: usize) -> Outcome<()> {
    let mut statement = tx.sql(
        "SELECT epoch, parts FROM closed_epoch WHERE aggregate = ?1 AND state = ?2 AND at <= ?3
         ORDER BY at LIMIT ?4",
    )?;
    let values = params![aggregate, DONE, tx.now.as_millis(), max as i64];
    let over = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let over: Vec<(i64, i64)> = over.collect::<rusqlite::Result<_>>()?;
    let mut gone = 0;
    for (epoch, parts) in over {
        forget_one(tx, aggregate, epoch)?;
        gone += count(parts) as usize;
        if gone >= max {
            break;
        }
    }
    Ok(())
}

/// Forgets an epoch and the ids of its parts.
pub(super) fn forget_one(tx: &Tx<'_>, aggregate: i64, epoch: i64) -> Outcome<()> {
    tx.sql("DELETE FROM part WHERE aggregate = ?1 AND epoch = ?2")?
        .execute([aggregate, epoch])?;
    tx.sql("DELETE FROM closed_epoch WHERE aggregate = ?1 AND epoch = ?2")?
        .execute([aggregate, epoch])?;
    Ok(())
}
