//! Logs with a step left out. Each loses or doubles something, or leaves it behind, and the test has
//! to notice.
//!
//! A step is left out below the code under test, which stays as it is shipped.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::Result;
use uuid::Uuid;

use super::partition::{Key, Place, Value, What};
use super::rows::Simulated;
use crate::aggregate::record::{Record, decode, encode};
use crate::aggregate::storage::{Head, LogId, LogStorage, PartRow, RecordRow};

/// Which step is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFault {
    /// The head is written whatever it is.
    PlainWrite,
    /// The head is moved before what it names is written.
    HeadFirst,
    /// Two processes write different records under one name.
    OneNameForTwo,
    /// Now and then a record is played as if nothing were in it.
    Gap,
    /// A page is deleted although parts in it are not released.
    LivePageDeleted,
    /// A deletion leaves what is written later by a process that stood still.
    ShortDeletion,
    /// A snapshot is deleted while the head names it.
    AdoptedDeleted,
}

/// The rows as a process sees them that leaves out a step.
#[derive(Debug)]
pub(super) struct BrokenLog {
    rows: Simulated,
    fault: LogFault,
    held_back: Mutex<Vec<(LogId, RecordRow)>>,
    adopted: Mutex<Option<Uuid>>,
}

impl BrokenLog {
    pub(super) fn new(rows: Simulated, fault: LogFault) -> Self {
        Self {
            rows,
            fault,
            held_back: Mutex::default(),
            adopted: Mutex::default(),
        }
    }

    fn is(&self, fault: LogFault) -> bool {
        self.fault == fault
    }

    /// The name under which a record is stored.
    fn name(&self, seq: i64, id: Uuid) -> Uuid {
        if self.is(LogFault::OneNameForTwo) && seq > 0 {
            Uuid::from_u128(u128::from(seq.unsigned_abs()))
        } else {
            id
        }
    }
}

#[async_trait]
impl LogStorage for BrokenLog {
    async fn head(&self, log: LogId) -> Result<Head> {
        self.rows.head(log).await
    }

    async fn head_serial(&self, log: LogId) -> Result<Head> {
        self.rows.head_serial(log).await
    }

    async fn swap(&self, log: LogId, from: Head, to: Head) -> Result<bool> {
        let named = |head: Head| Head {
            record: self.name(head.seq, head.record),
            ..head
        };
        if self.is(LogFault::PlainWrite) {
            let judge = |_: &_| (Some((Key::LogHead, Value::LogHead(to))), true);
            return self.rows.transact(Place::LogHead(log), judge).await;
        }
        let swapped = self.rows.swap(log, named(from), named(to)).await;
        let held_back = std::mem::take(&mut *locked(&self.held_back));
        for (log, row) in held_back {
            if swapped.is_ok() {
                self.rows.put_record(log, &row).await?;
            }
        }
        if let (Ok(true), Some(snapshot)) = (&swapped, to.snapshot) {
            *locked(&self.adopted) = Some(snapshot);
        }
        swapped
    }

    async fn put_parts(
        &self,
        log: LogId,
        record: (i64, Uuid),
        first: i32,
        rows: &[PartRow],
    ) -> Result<()> {
        self.rows.put_parts(log, record, first, rows).await
    }

    async fn parts(
        &self,
        log: LogId,
        record: (i64, Uuid),
        rows: &[i32],
    ) -> Result<Vec<(i32, PartRow)>> {
        self.rows.parts(log, record, rows).await
    }

    async fn put_record(&self, log: LogId, row: &RecordRow) -> Result<()> {
        let mut row = row.clone();
        row.id = self.name(row.seq, row.id);
        if self.is(LogFault::HeadFirst) {
            locked(&self.held_back).push((log, row));
            return Ok(());
        }
        self.rows.put_record(log, &row).await
    }

    async fn records(&self, log: LogId, page: i64, from: i64) -> Result<Vec<RecordRow>> {
        let mut rows = self.rows.records(log, page, from).await?;
        if self.is(LogFault::Gap)
            && let Some(row) = rows.last_mut()
            && fastrand::u8(..) < 8
        {
            let mut record: Record = decode("aggregate", &row.body)?;
            record.commands.clear();
            row.body = encode("aggregate", &record)?.into();
        }
        Ok(rows)
    }

    async fn delete_page(&self, log: LogId, page: i64) -> Result<()> {
        if self.is(LogFault::ShortDeletion) {
            let parts = Place::LogParts(log, page);
            self.rows.write(parts, What::DeleteAll).await?;
            let records = Place::LogPage(log, page);
            return self.rows.write(records, What::DeleteAll).await;
        }
        if self.is(LogFault::LivePageDeleted) {
            self.rows.delete_page(log, page + 1).await?;
        }
        self.rows.delete_page(log, page).await
    }

    async fn acknowledge(&self, log: LogId, by: i16, upto: i64) -> Result<()> {
        self.rows.acknowledge(log, by, upto).await
    }

    async fn acknowledgements(&self, log: LogId) -> Result<Vec<(i16, i64)>> {
        self.rows.acknowledgements(log).await
    }

    async fn put_snapshot(
        &self,
        log: LogId,
        snapshot: Uuid,
        piece: i32,
        body: Bytes,
    ) -> Result<()> {
        self.rows.put_snapshot(log, snapshot, piece, body).await
    }

    async fn snapshot(&self, log: LogId, snapshot: Uuid) -> Result<Vec<Bytes>> {
        self.rows.snapshot(log, snapshot).await
    }

    async fn delete_snapshot(&self, log: LogId, snapshot: Uuid) -> Result<()> {
        let adopted = *locked(&self.adopted);
        if self.is(LogFault::AdoptedDeleted)
            && let Some(adopted) = adopted
        {
            self.rows.delete_snapshot(log, adopted).await?;
        }
        self.rows.delete_snapshot(log, snapshot).await
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
