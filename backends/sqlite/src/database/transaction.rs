//! What work sees of the transaction it runs in.

use std::cell::Cell;

use longshore_core::{StoreError, StoreErrorKind, Timestamp};
use rusqlite::{CachedStatement, Connection};

use crate::clock::moment::Moment;
use crate::error::Outcome;
use crate::file::space::Space;

/// The transaction of the writer, for one call.
#[derive(Debug)]
pub(crate) struct Tx<'a> {
    conn: &'a Connection,
    space: &'a Space,
    /// The time of this call by the store's clock.
    pub(crate) now: Timestamp,
    /// The same moment, also by the clock of the leases.
    pub(crate) moment: Moment,
    /// Which call it is, for errors.
    pub(crate) operation: &'static str,
    rings: Cell<bool>,
}

/// Receivers that sleep are told of due times nearer than this; they find later ones by
/// themselves when they look again.
const RING_AHEAD_MS: i64 = 1_500;

impl<'a> Tx<'a> {
    /// The view of one call.
    pub(crate) fn new(
        conn: &'a Connection,
        space: &'a Space,
        moment: Moment,
        operation: &'static str,
    ) -> Self {
        Self {
            conn,
            space,
            now: moment.wall,
            moment,
            operation,
            rings: Cell::new(false),
        }
    }

    /// A prepared statement; the same text is prepared once.
    pub(crate) fn sql(&self, text: &str) -> rusqlite::Result<CachedStatement<'a>> {
        self.conn.prepare_cached(text)
    }

    /// The connection, for reads that writes share.
    pub(crate) fn conn(&self) -> &'a Connection {
        self.conn
    }

    /// The row number of the latest insert.
    pub(crate) fn last_seq(&self) -> i64 {
        self.conn.last_insert_rowid()
    }

    /// Says that something becomes receivable at `due`, so that waiters look again.
    pub(crate) fn receivable_at(&self, due_ms: i64) {
        if due_ms <= self.now.as_millis() + RING_AHEAD_MS {
            self.rings.set(true);
        }
    }

    /// Whether waiters must look again after the commit.
    pub(crate) fn rings(&self) -> bool {
        self.rings.get()
    }

    /// Refuses to add data where the disk is nearly full, so that settling still works.
    pub(crate) fn require_space(&self, bytes: u64) -> Outcome<()> {
        let unused = || self.unused_bytes().unwrap_or(0);
        Ok(self.space.require(self.operation, bytes, unused)?)
    }

    /// The pages of the file that hold nothing.
    fn unused_bytes(&self) -> rusqlite::Result<u64> {
        let pages: i64 = self
            .sql("PRAGMA freelist_count")?
            .query_row((), |row| row.get(0))?;
        let size: i64 = self
            .sql("PRAGMA page_size")?
            .query_row((), |row| row.get(0))?;
        Ok((pages * size).unsigned_abs())
    }

    /// A refusal of this call.
    pub(crate) fn refusal(&self, kind: StoreErrorKind, message: impl Into<String>) -> StoreError {
        StoreError::new(kind, self.operation, message)
    }
}

/// A token that no other delivery has: random, and always eight bytes long in its row.
pub(crate) fn new_token() -> i64 {
    // The bit below the sign is the opposite of the sign, so the value never fits in fewer bytes.
    let random = fastrand::u64(..);
    let sign = random >> 63;
    ((random & !(1 << 62)) | ((sign ^ 1) << 62)) as i64
}

#[cfg(test)]
mod tests {
    use super::new_token;

    #[test]
    fn tokens_fill_eight_bytes() {
        for _ in 0..1000 {
            let token = new_token();
            assert!(token.unsigned_abs() > 1 << 61, "{token}");
        }
    }
}
