//! The logs of aggregates in the tables of a cluster.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::Result;
use scylla::statement::prepared::PreparedStatement;
use uuid::Uuid;

use crate::aggregate::storage::{Head, LogId, LogStorage, PartRow, RecordRow, page_of};
use crate::cql::session::Link;

/// A deletion has this timestamp, in µs: later than any write, so that a process that stood still
/// for long writes nothing that stays. Numbers and ids are never used twice.
const FOR_GOOD: i64 = i64::MAX / 4;

/// The logs of one cell.
#[derive(Clone, Debug)]
pub(crate) struct Logs {
    pub(crate) link: Arc<Link>,
    pub(crate) cell: i16,
}

impl Logs {
    async fn head_by(&self, statement: &PreparedStatement, log: LogId) -> Result<Head> {
        let values = (log.aggregate, self.cell, log.shard);
        let row: Option<(Option<i64>, Option<Uuid>, Option<Uuid>)> =
            self.link.one("aggregate", statement, values).await?;
        let (seq, record, snapshot) = row.unwrap_or_default();
        Ok(Head {
            seq: seq.unwrap_or_default(),
            record: record.unwrap_or_default(),
            snapshot,
        })
    }
}

#[async_trait]
impl LogStorage for Logs {
    async fn head(&self, log: LogId) -> Result<Head> {
        self.head_by(&self.link.statements.log_head, log).await
    }

    async fn head_serial(&self, log: LogId) -> Result<Head> {
        self.head_by(&self.link.statements.log_head_serial, log)
            .await
    }

    async fn swap(&self, log: LogId, from: Head, to: Head) -> Result<bool> {
        let LogId { aggregate, shard } = log;
        let statements = &self.link.statements;
        if from.seq == 0 {
            let values = (aggregate, self.cell, shard, to.seq, to.record, to.snapshot);
            let first = &statements.first_log_head;
            return self.link.transact("aggregate", first, values).await;
        }
        let key = (aggregate, self.cell, shard);
        let values = (
            to.seq,
            to.record,
            to.snapshot,
            key.0,
            key.1,
            key.2,
            from.seq,
            from.record,
        );
        let next = &statements.next_log_head;
        self.link.transact("aggregate", next, values).await
    }

    async fn put_parts(
        &self,
        log: LogId,
        (seq, record): (i64, Uuid),
        first: i32,
        rows: &[PartRow],
    ) -> Result<()> {
        let LogId { aggregate, shard } = log;
        let values = (first..).zip(rows).map(|(number, row)| {
            (
                aggregate,
                self.cell,
                shard,
                page_of(seq),
                seq,
                record,
                number,
                &row.head[..],
                &row.body[..],
            )
        });
        let statement = &self.link.statements.put_part;
        self.link
            .run_all("aggregate", statement, values.collect())
            .await
    }

    async fn parts(
        &self,
        log: LogId,
        (seq, record): (i64, Uuid),
        rows: &[i32],
    ) -> Result<Vec<(i32, PartRow)>> {
        let LogId { aggregate, shard } = log;
        let page = page_of(seq);
        let values = (aggregate, self.cell, shard, page, seq, record, rows);
        let make = |(number, head, body): (i32, Option<Bytes>, Option<Bytes>)| {
            let (head, body) = (head.unwrap_or_default(), body.unwrap_or_default());
            (number, PartRow { head, body })
        };
        let statement = &self.link.statements.parts;
        self.link.all("parts", statement, values, make).await
    }

    async fn put_record(&self, log: LogId, row: &RecordRow) -> Result<()> {
        let LogId { aggregate, shard } = log;
        let page = page_of(row.seq);
        let body = &row.body[..];
        let values = (aggregate, self.cell, shard, page, row.seq, row.id, body);
        let statement = &self.link.statements.put_record;
        self.link.run("aggregate", statement, values).await
    }

    async fn records(&self, log: LogId, page: i64, from: i64) -> Result<Vec<RecordRow>> {
        let values = (log.aggregate, self.cell, log.shard, page, from);
        let make = |(seq, id, body): (i64, Uuid, Option<Bytes>)| RecordRow {
            seq,
            id,
            body: body.unwrap_or_default(),
        };
        let statement = &self.link.statements.records;
        self.link.all("aggregate", statement, values, make).await
    }

    async fn delete_page(&self, log: LogId, page: i64) -> Result<()> {
        let values = (FOR_GOOD, log.aggregate, self.cell, log.shard, page);
        let statements = &self.link.statements;
        self.link
            .run("aggregate", &statements.delete_parts, values)
            .await?;
        self.link
            .run("aggregate", &statements.delete_records, values)
            .await
    }

    async fn acknowledge(&self, log: LogId, by: i16, upto: i64) -> Result<()> {
        // The greatest wins, whichever comes last.
        let values = (log.aggregate, self.cell, log.shard, by, upto, upto);
        let statement = &self.link.statements.put_acknowledged;
        self.link.run("aggregate", statement, values).await
    }

    async fn acknowledgements(&self, log: LogId) -> Result<Vec<(i16, i64)>> {
        let values = (log.aggregate, self.cell, log.shard);
        let make = |(by, upto): (i16, Option<i64>)| (by, upto.unwrap_or_default());
        let statement = &self.link.statements.acknowledged;
        self.link.all("aggregate", statement, values, make).await
    }

    async fn put_snapshot(
        &self,
        log: LogId,
        snapshot: Uuid,
        piece: i32,
        body: Bytes,
    ) -> Result<()> {
        let LogId { aggregate, shard } = log;
        let values = (aggregate, self.cell, shard, snapshot, piece, &body[..]);
        let statement = &self.link.statements.put_snapshot;
        self.link.run("aggregate", statement, values).await
    }

    async fn snapshot(&self, log: LogId, snapshot: Uuid) -> Result<Vec<Bytes>> {
        let values = (log.aggregate, self.cell, log.shard, snapshot);
        let make = |(body,): (Option<Bytes>,)| body.unwrap_or_default();
        let statement = &self.link.statements.snapshot;
        self.link.all("aggregate", statement, values, make).await
    }

    async fn delete_snapshot(&self, log: LogId, snapshot: Uuid) -> Result<()> {
        let values = (FOR_GOOD, log.aggregate, self.cell, log.shard, snapshot);
        let statement = &self.link.statements.delete_snapshot;
        self.link.run("aggregate", statement, values).await
    }
}
