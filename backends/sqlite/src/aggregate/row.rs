//! The row of an aggregate.

use longshore_core::{AggregateInfo, AggregateName, Epoch};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::database::transaction::Tx;
use crate::error::Outcome;

/// An aggregate and its numbers, to be saved at the end of a transaction.
#[derive(Clone, Debug)]
pub(crate) struct AggregateRow {
    pub(super) number: i64,
    pub(super) generation: i64,
    pub(super) last: i64,
    pub(super) counts: AggregateInfo,
}

/// The columns of an [`AggregateRow`], in order.
macro_rules! columns {
    () => {
        "aggregate, generation, last, accepted, open, closed, released, dead, dropped, discarded,
         open_epochs, closed_epochs, name"
    };
}

impl AggregateRow {
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let name: String = row.get(12)?;
        let name = AggregateName::new(&name);
        let name = name.map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                12,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })?;
        let mut counts = AggregateInfo::new(name);
        let numbers = [
            &mut counts.accepted,
            &mut counts.open,
            &mut counts.closed,
            &mut counts.released,
            &mut counts.dead,
            &mut counts.dropped,
            &mut counts.discarded,
            &mut counts.open_epochs,
            &mut counts.closed_epochs,
        ];
        for (column, number) in (3..).zip(numbers) {
            *number = u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0);
        }
        Ok(Self {
            number: row.get(0)?,
            generation: row.get(1)?,
            last: row.get(2)?,
            counts,
        })
    }

    /// The aggregate of a name, if it is known.
    pub(crate) fn find(conn: &Connection, name: &AggregateName) -> Outcome<Option<Self>> {
        let sql = concat!("SELECT ", columns!(), " FROM aggregate WHERE name = ?1");
        let found = conn
            .prepare_cached(sql)?
            .query_row([name.as_str()], Self::of);
        Ok(found.optional()?)
    }

    /// Those behind a name, by name.
    pub(super) fn behind(conn: &Connection, after: &str, max: i64) -> Outcome<Vec<Self>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM aggregate WHERE name > ?1 ORDER BY name LIMIT ?2"
        );
        let mut statement = conn.prepare_cached(sql)?;
        let rows = statement.query_map(params![after, max], Self::of)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The aggregate of a name, which is known from then on.
    pub(super) fn ensure(tx: &Tx<'_>, name: &AggregateName) -> Outcome<Self> {
        if let Some(found) = Self::find(tx.conn(), name)? {
            return Ok(found);
        }
        let generation = tx.now.as_millis();
        tx.sql("INSERT INTO aggregate (name, generation) VALUES (?1, ?2)")?
            .execute(params![name.as_str(), generation])?;
        Ok(Self {
            number: tx.last_seq(),
            generation,
            last: 0,
            counts: AggregateInfo::new(name.clone()),
        })
    }

    /// Writes the numbers.
    pub(super) fn save(&self, tx: &Tx<'_>) -> Outcome<()> {
        let counts = &self.counts;
        tx.sql(
            "UPDATE aggregate SET last = ?2, accepted = ?3, open = ?4, closed = ?5, released = ?6,
               dead = ?7, dropped = ?8, discarded = ?9, open_epochs = ?10, closed_epochs = ?11
             WHERE aggregate = ?1",
        )?
        .execute(params![
            self.number,
            self.last,
            counts.accepted as i64,
            counts.open as i64,
            counts.closed as i64,
            counts.released as i64,
            counts.dead as i64,
            counts.dropped as i64,
            counts.discarded as i64,
            counts.open_epochs as i64,
            counts.closed_epochs as i64,
        ])?;
        Ok(())
    }

    /// Takes note of an epoch that was opened.
    pub(super) fn opened(&mut self, epoch: Epoch) {
        self.last = self.last.max(number(epoch));
    }

    /// The last epoch.
    pub(super) fn last_epoch(&self) -> Epoch {
        Epoch::new(u64::try_from(self.last).unwrap_or(0))
    }
}

/// An epoch as a column keeps it.
pub(super) fn number(epoch: Epoch) -> i64 {
    i64::try_from(epoch.number()).unwrap_or(i64::MAX)
}

/// An epoch in a column.
pub(super) fn epoch(number: i64) -> Epoch {
    Epoch::new(u64::try_from(number).unwrap_or(0))
}
