//! The rows of logs on the simulated replicas, as one process sees them.

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::Result;
use uuid::Uuid;

use super::partition::{Key, Partition, Place, Value, What};
use super::rows::Simulated;
use crate::aggregate::storage::{Head, LogId, LogStorage, PartRow, RecordRow, page_of};

/// What a deletion has: later than any write.
const FOR_GOOD: i64 = i64::MAX / 4;

fn head(partition: &Partition) -> Head {
    match partition.get(Key::LogHead) {
        Some(Value::LogHead(head)) => *head,
        _ => Head::default(),
    }
}

#[async_trait]
impl LogStorage for Simulated {
    async fn head(&self, log: LogId) -> Result<Head> {
        self.read(Place::LogHead(log), head).await
    }

    async fn head_serial(&self, log: LogId) -> Result<Head> {
        self.serial(Place::LogHead(log), head).await
    }

    async fn swap(&self, log: LogId, from: Head, to: Head) -> Result<bool> {
        let judge = |known: &Partition| {
            let known = head(known);
            let same = (known.seq, known.record) == (from.seq, from.record);
            (same.then_some((Key::LogHead, Value::LogHead(to))), same)
        };
        self.transact(Place::LogHead(log), judge).await
    }

    async fn put_parts(
        &self,
        log: LogId,
        (seq, record): (i64, Uuid),
        first: i32,
        rows: &[PartRow],
    ) -> Result<()> {
        let cells = (first..).zip(rows).map(|(number, row)| {
            let key = Key::Part(seq, record, number);
            (key, Value::Part(row.clone()))
        });
        let what = What::Put(cells.collect());
        self.write(Place::LogParts(log, page_of(seq)), what).await
    }

    async fn parts(
        &self,
        log: LogId,
        (seq, record): (i64, Uuid),
        rows: &[i32],
    ) -> Result<Vec<(i32, PartRow)>> {
        let view = |found: &Partition| {
            let part = |row: &i32| match found.get(Key::Part(seq, record, *row)) {
                Some(Value::Part(part)) => Some((*row, part.clone())),
                _ => None,
            };
            rows.iter().filter_map(part).collect()
        };
        self.read(Place::LogParts(log, page_of(seq)), view).await
    }

    async fn put_record(&self, log: LogId, row: &RecordRow) -> Result<()> {
        let cell = (Key::Record(row.seq, row.id), Value::Body(row.body.clone()));
        let place = Place::LogPage(log, page_of(row.seq));
        self.write(place, What::Put(vec![cell])).await
    }

    async fn records(&self, log: LogId, page: i64, from: i64) -> Result<Vec<RecordRow>> {
        let view = |found: &Partition| {
            let rows = found.iter().filter_map(|(key, value)| match (key, value) {
                (Key::Record(seq, id), Value::Body(body)) if *seq >= from => Some(RecordRow {
                    seq: *seq,
                    id: *id,
                    body: body.clone(),
                }),
                _ => None,
            });
            rows.collect()
        };
        self.read(Place::LogPage(log, page), view).await
    }

    async fn delete_page(&self, log: LogId, page: i64) -> Result<()> {
        let parts = Place::LogParts(log, page);
        self.write_at(parts, What::DeleteAll, FOR_GOOD).await?;
        let records = Place::LogPage(log, page);
        self.write_at(records, What::DeleteAll, FOR_GOOD).await
    }

    async fn acknowledge(&self, log: LogId, by: i16, upto: i64) -> Result<()> {
        let cell = (Key::Acknowledged(by), Value::Mark(upto));
        let place = Place::LogAcknowledged(log);
        self.write_at(place, What::Put(vec![cell]), upto).await
    }

    async fn acknowledgements(&self, log: LogId) -> Result<Vec<(i16, i64)>> {
        let view = |found: &Partition| {
            let rows = found.iter().filter_map(|(key, value)| match (key, value) {
                (Key::Acknowledged(by), Value::Mark(upto)) => Some((*by, *upto)),
                _ => None,
            });
            rows.collect()
        };
        self.read(Place::LogAcknowledged(log), view).await
    }

    async fn put_snapshot(
        &self,
        log: LogId,
        snapshot: Uuid,
        piece: i32,
        body: Bytes,
    ) -> Result<()> {
        let cell = (Key::Piece(piece), Value::Body(body));
        let place = Place::LogSnapshot(log, snapshot);
        self.write(place, What::Put(vec![cell])).await
    }

    async fn snapshot(&self, log: LogId, snapshot: Uuid) -> Result<Vec<Bytes>> {
        let view = |found: &Partition| {
            let pieces = found.iter().filter_map(|(_, value)| match value {
                Value::Body(body) => Some(body.clone()),
                _ => None,
            });
            pieces.collect()
        };
        self.read(Place::LogSnapshot(log, snapshot), view).await
    }

    async fn delete_snapshot(&self, log: LogId, snapshot: Uuid) -> Result<()> {
        let place = Place::LogSnapshot(log, snapshot);
        self.write_at(place, What::DeleteAll, FOR_GOOD).await
    }
}
