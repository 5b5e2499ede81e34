//! What the log of a shard needs of a cluster.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::Result;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Records of one partition; few in the simulation, so that pages come and go.
const PAGE: i64 = if cfg!(test) { 4 } else { 256 };

/// One shard of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogId {
    pub(crate) aggregate: Uuid,
    pub(crate) shard: i16,
}

/// Which record of a log is the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// Its number, from 1; 0 where there is none.
    pub(crate) seq: i64,
    /// Its id: several processes may write a record of one number, and one of them is chosen.
    pub(crate) record: Uuid,
    /// Where to begin to read; `None` is the first record.
    pub(crate) snapshot: Option<Uuid>,
}

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordRow {
    pub(crate) seq: i64,
    pub(crate) id: Uuid,
    pub(crate) body: Bytes,
}

/// A part as it is stored: the stored form of its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartRow {
    pub(crate) head: Bytes,
    pub(crate) body: Bytes,
}

impl PartRow {
    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }
}

/// Where a part lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PartSpot {
    /// The record that it came with.
    pub(crate) seq: i64,
    pub(crate) record: Uuid,
    pub(crate) row: i32,
    /// How many bytes its body has.
    pub(crate) bytes: u32,
}

/// The partition of a record and its parts.
pub(crate) fn page_of(seq: i64) -> i64 {
    seq / PAGE
}

/// The rows of logs. Writes go to a quorum of this data centre, reads come from one, and each call
/// ends by itself.
#[async_trait]
pub(crate) trait LogStorage: fmt::Debug + Send + Sync + 'static {
    /// The head as a quorum knows it. It is never behind a swap that was answered.
    async fn head(&self, log: LogId) -> Result<Head>;

    /// The head, after any swap in flight is decided.
    async fn head_serial(&self, log: LogId) -> Result<Head>;

    /// Makes `to` the head if it is `from`, by one lightweight transaction. After an unknown effect
    /// the same call may be made again.
    async fn swap(&self, log: LogId, from: Head, to: Head) -> Result<bool>;

    /// Writes the parts of a record, from a row on. One mutation.
    async fn put_parts(
        &self,
        log: LogId,
        record: (i64, Uuid),
        first: i32,
        rows: &[PartRow],
    ) -> Result<()>;

    /// Parts of one record; those that are missing are left out.
    async fn parts(
        &self,
        log: LogId,
        record: (i64, Uuid),
        rows: &[i32],
    ) -> Result<Vec<(i32, PartRow)>>;

    /// Writes a record.
    async fn put_record(&self, log: LogId, row: &RecordRow) -> Result<()>;

    /// The records of a page from a number on, also those that were not chosen.
    async fn records(&self, log: LogId, page: i64, from: i64) -> Result<Vec<RecordRow>>;

    /// Deletes a page with all that may still be written to it.
    async fn delete_page(&self, log: LogId, page: i64) -> Result<()>;

    /// Tells the cell of this log that another one has all its parts up to a record.
    async fn acknowledge(&self, log: LogId, by: i16, upto: i64) -> Result<()>;

    /// Up to which record other cells have their parts of this log.
    async fn acknowledgements(&self, log: LogId) -> Result<Vec<(i16, i64)>>;

    /// Writes a piece of a snapshot.
    async fn put_snapshot(&self, log: LogId, snapshot: Uuid, piece: i32, body: Bytes)
    -> Result<()>;

    /// The pieces of a snapshot in order; none where it was deleted.
    async fn snapshot(&self, log: LogId, snapshot: Uuid) -> Result<Vec<Bytes>>;

    /// Deletes a snapshot with all that may still be written to it.
    async fn delete_snapshot(&self, log: LogId, snapshot: Uuid) -> Result<()>;
}
