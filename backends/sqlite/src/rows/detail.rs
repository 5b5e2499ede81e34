//! What lies beside some messages: history, checkpoint, the mark of a dead letter.

use bytes::Bytes;
use longshore_core::{AttemptRecord, DeadReason, History};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::database::transaction::Tx;
use crate::error::Outcome;
use crate::rows::message::{Live, count};
use crate::rows::state::DETAIL;

/// The detail row of a message, or what stands for a missing one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detail {
    pub(crate) recorded_through: u32,
    pub(crate) history: History,
    pub(crate) checkpoint: Option<Bytes>,
    pub(crate) reason: Option<DeadReason>,
    pub(crate) error: Option<String>,
}

impl Detail {
    /// Reads the detail of a message with these flags.
    pub(crate) fn read(conn: &Connection, seq: i64, flags: i64) -> Outcome<Self> {
        if flags & DETAIL == 0 {
            return Ok(Self::default());
        }
        let found = conn
            .prepare_cached(
                "SELECT recorded_through, history, checkpoint, reason, error
                 FROM detail WHERE seq = ?1",
            )?
            .query_row([seq], |row| {
                let checkpoint: Option<Vec<u8>> = row.get(2)?;
                let reason: Option<String> = row.get(3)?;
                Ok(Self {
                    recorded_through: count(row.get(0)?),
                    history: History::from_stored(row.get_ref(1)?.as_blob().unwrap_or_default()),
                    checkpoint: checkpoint.map(Bytes::from),
                    reason: reason.as_deref().and_then(DeadReason::from_stored),
                    error: row.get(4)?,
                })
            })
            .optional()?;
        Ok(found.unwrap_or_default())
    }

    /// Appends the record of an attempt.
    pub(crate) fn record(&mut self, attempt: u32, record: &AttemptRecord) {
        self.history.push(attempt, record.clone());
        self.recorded_through = attempt;
    }

    /// `Some` replaces the checkpoint, an empty one clears it, `None` keeps it.
    pub(crate) fn keep_checkpoint(&mut self, checkpoint: Option<&Bytes>) {
        if let Some(bytes) = checkpoint {
            self.checkpoint = (!bytes.is_empty()).then(|| bytes.clone());
        }
    }

    fn is_empty(&self) -> bool {
        self.recorded_through == 0
            && self.history.is_empty()
            && self.checkpoint.is_none()
            && self.reason.is_none()
            && self.error.is_none()
    }

    /// Writes it beside its message, or removes it if there is nothing to keep. The flags of
    /// `row` follow; the caller writes them.
    pub(crate) fn write(&self, tx: &Tx<'_>, row: &mut Live) -> Outcome<()> {
        if self.is_empty() {
            if row.has_detail() {
                tx.sql("DELETE FROM detail WHERE seq = ?1")?
                    .execute([row.seq])?;
            }
            row.flags &= !DETAIL;
            return Ok(());
        }
        row.flags |= DETAIL;
        tx.sql(
            "INSERT OR REPLACE INTO detail (seq, recorded_through, history, checkpoint, reason, error)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            row.seq,
            self.recorded_through,
            self.history.to_stored(),
            self.checkpoint.as_deref(),
            self.reason.map(DeadReason::as_str),
            self.error
        ])?;
        Ok(())
    }
}
