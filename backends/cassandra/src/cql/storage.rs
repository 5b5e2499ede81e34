//! The rows in the tables of a cluster.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::try_join;
use longshore_core::Result;
use scylla::statement::prepared::PreparedStatement;
use scylla::value::MaybeUnset;
use uuid::Uuid;

use crate::cql::columns::{MessageColumns, event_row, message_row, position, rung, unless};
use crate::cql::session::Link;
use crate::protocol::storage::{
    Bucket, BucketRow, EventRow, Heartbeat, Mark, Marks, MessageRow, Notification, Ownership,
    Position, Storage, Stream, Watermark,
};

/// The rows of one cell.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(crate) link: Arc<Link>,
    pub(crate) cell: i16,
}

impl Tables {
    async fn owner_by(&self, statement: &PreparedStatement, stripe: i16) -> Result<Ownership> {
        let values = (self.cell, stripe);
        let row: Option<(Option<Uuid>, Option<i64>)> =
            self.link.one("claim", statement, values).await?;
        let (owner, epoch) = row.unwrap_or_default();
        Ok(Ownership {
            owner,
            epoch: epoch.unwrap_or_default(),
        })
    }

    fn bucket(&self, bucket: Bucket) -> (Uuid, i16, i32, i8, i64) {
        let stream = bucket.stream;
        (
            stream.queue,
            self.cell,
            stream.shard,
            stream.kind,
            bucket.number,
        )
    }
}

type BucketColumns = (i64, Option<bool>, Option<Vec<u8>>);

#[async_trait]
impl Storage for Tables {
    fn cell(&self) -> i16 {
        self.cell
    }

    async fn put_messages(&self, bucket: Bucket, rows: &[MessageRow]) -> Result<()> {
        let (queue, cell, shard, kind, number) = self.bucket(bucket);
        let values = rows.iter().map(|row| {
            let group = row.group.as_deref();
            let start = (!row.start.is_empty()).then_some(&row.start[..]);
            (
                queue,
                cell,
                shard,
                kind,
                number,
                row.position.pos,
                &row.position.id.as_bytes()[..],
                unless(row.revision, 0),
                unless(row.lane, kind),
                group.map_or(MaybeUnset::Unset, MaybeUnset::Set),
                unless(row.due_ms, row.position.pos / 1000),
                unless(row.sequence, row.position.pos),
                &row.head[..],
                &row.body[..],
                start.map_or(MaybeUnset::Unset, MaybeUnset::Set),
            )
        });
        let statement = &self.link.statements.put_message;
        self.link
            .run_all("enqueue", statement, values.collect())
            .await
    }

    async fn messages(
        &self,
        bucket: Bucket,
        from: Position,
        max: usize,
    ) -> Result<Vec<MessageRow>> {
        let (queue, cell, shard, kind, number) = self.bucket(bucket);
        let id = &from.id.as_bytes()[..];
        let values = (queue, cell, shard, kind, number, from.pos, id, max as i32);
        let statement = &self.link.statements.messages;
        self.link
            .all("receive", statement, values, |columns| {
                message_row(bucket.stream, columns)
            })
            .await
    }

    async fn positions(&self, bucket: Bucket, from: Position, max: usize) -> Result<Vec<Position>> {
        let (queue, cell, shard, kind, number) = self.bucket(bucket);
        let id = &from.id.as_bytes()[..];
        let values = (queue, cell, shard, kind, number, from.pos, id, max as i32);
        let make = |(pos, id): (i64, Vec<u8>)| position(pos, &id);
        let statement = &self.link.statements.positions;
        self.link.all("receive", statement, values, make).await
    }

    async fn message(&self, bucket: Bucket, position: Position) -> Result<Option<MessageRow>> {
        let (queue, cell, shard, kind, number) = self.bucket(bucket);
        let id = &position.id.as_bytes()[..];
        let values = (queue, cell, shard, kind, number, position.pos, id);
        let statement = &self.link.statements.message;
        let row = self.link.one::<MessageColumns>("find", statement, values);
        let make = |columns| message_row(bucket.stream, columns);
        Ok(row.await?.map(make))
    }

    async fn put_events(&self, bucket: Bucket, rows: &[EventRow]) -> Result<()> {
        let (queue, cell, shard, kind, number) = self.bucket(bucket);
        let values = rows.iter().map(|row| {
            let Position { pos, id } = &row.position;
            let id = &id.as_bytes()[..];
            let detail = &row.detail[..];
            (
                queue, cell, shard, kind, number, *pos, id, row.serial, row.what, detail,
            )
        });
        let statement = &self.link.statements.put_event;
        self.link
            .run_all("settle", statement, values.collect())
            .await
    }

    async fn events(
        &self,
        bucket: Bucket,
        from: (Position, i32, i8),
        max: usize,
    ) -> Result<Vec<EventRow>> {
        let (queue, cell, shard, kind, number) = self.bucket(bucket);
        let (from, serial, what) = from;
        let id = &from.id.as_bytes()[..];
        let values = (
            queue, cell, shard, kind, number, from.pos, id, serial, what, max as i32,
        );
        let statement = &self.link.statements.events;
        self.link.all("receive", statement, values, event_row).await
    }

    async fn events_of(&self, bucket: Bucket, position: Position) -> Result<Vec<EventRow>> {
        let (queue, cell, shard, kind, number) = self.bucket(bucket);
        let id = &position.id.as_bytes()[..];
        let values = (queue, cell, shard, kind, number, position.pos, id);
        let statement = &self.link.statements.events_of;
        self.link.all("settle", statement, values, event_row).await
    }

    async fn register(&self, bucket: Bucket) -> Result<()> {
        let statement = &self.link.statements.register;
        self.link
            .run("enqueue", statement, self.bucket(bucket))
            .await
    }

    async fn buckets(&self, stream: Stream, from: i64) -> Result<Vec<BucketRow>> {
        let values = (stream.queue, self.cell, stream.shard, stream.kind, from);
        let make = |(number, done, watermark): BucketColumns| BucketRow {
            number,
            done: done.unwrap_or_default(),
            watermark: watermark.and_then(|bytes| Watermark::from_bytes(&bytes)),
        };
        let statement = &self.link.statements.buckets;
        self.link.all("receive", statement, values, make).await
    }

    async fn note_watermark(&self, bucket: Bucket, watermark: Watermark) -> Result<()> {
        let Bucket { stream, number } = bucket;
        let values = (
            watermark.to_bytes(),
            stream.queue,
            self.cell,
            stream.shard,
            stream.kind,
            number,
        );
        let statement = &self.link.statements.note_watermark;
        self.link.run("retire", statement, values).await
    }

    async fn set_done(&self, bucket: Bucket) -> Result<()> {
        let statement = &self.link.statements.set_done;
        self.link
            .run("retire", statement, self.bucket(bucket))
            .await
    }

    async fn delete(&self, bucket: Bucket) -> Result<()> {
        let values = self.bucket(bucket);
        let statements = &self.link.statements;
        let both = try_join(
            self.link.run("retire", &statements.delete_messages, values),
            self.link.run("retire", &statements.delete_events, values),
        );
        both.await.map(drop)
    }

    async fn forget_buckets(&self, stream: Stream, below: i64) -> Result<()> {
        let values = (stream.queue, self.cell, stream.shard, stream.kind, below);
        let statement = &self.link.statements.forget_buckets;
        self.link.run("retire", statement, values).await
    }

    async fn marks(&self, stream: Stream) -> Result<Marks> {
        let values = (stream.queue, self.cell, stream.shard, stream.kind);
        let statement = &self.link.statements.marks;
        let row: Option<(Option<i64>, Option<i64>)> =
            self.link.one("marks", statement, values).await?;
        let (closed_to, done_to) = row.unwrap_or_default();
        Ok(Marks {
            closed_to: closed_to.unwrap_or_default(),
            done_to: done_to.unwrap_or_default(),
        })
    }

    async fn raise(&self, stream: Stream, mark: Mark, to: i64) -> Result<()> {
        let (queue, shard, kind) = (stream.queue, stream.shard, stream.kind);
        let statements = &self.link.statements;
        let statement = match mark {
            Mark::Closed => &statements.raise_closed,
            Mark::Done => &statements.raise_done,
        };
        let values = (to, queue, self.cell, shard, kind, to);
        if self.link.transact("close", statement, values).await? {
            return Ok(());
        }
        // It is there already, or there is no row yet.
        let (closed_to, done_to) = match mark {
            Mark::Closed => (to, 0),
            Mark::Done => (0, to),
        };
        let values = (queue, self.cell, shard, kind, closed_to, done_to);
        let first = &statements.first_marks;
        self.link.transact("close", first, values).await.map(drop)
    }

    async fn seen_owner(&self, stripe: i16) -> Result<Ownership> {
        self.owner_by(&self.link.statements.seen_owner, stripe)
            .await
    }

    async fn owner(&self, stripe: i16) -> Result<Ownership> {
        self.owner_by(&self.link.statements.owner, stripe).await
    }

    async fn own(&self, stripe: i16, from: Ownership, to: Option<Uuid>) -> Result<bool> {
        let statements = &self.link.statements;
        if from.epoch == 0 {
            let values = (self.cell, stripe, to, 1_i64);
            return self
                .link
                .transact("claim", &statements.first_owner, values)
                .await;
        }
        let values = (to, from.epoch + 1, self.cell, stripe, from.epoch);
        self.link
            .transact("claim", &statements.next_owner, values)
            .await
    }

    async fn beat(&self, process: Uuid, beat: i64) -> Result<bool> {
        let statements = &self.link.statements;
        if beat == 1 {
            let values = (self.cell, process, beat);
            return self
                .link
                .transact("claim", &statements.first_beat, values)
                .await;
        }
        let values = (beat, self.cell, process);
        self.link
            .transact("claim", &statements.next_beat, values)
            .await
    }

    async fn heartbeat(&self, process: Uuid) -> Result<Option<Heartbeat>> {
        let statement = &self.link.statements.heartbeat;
        let row: Option<(Option<i64>, Option<String>)> = self
            .link
            .one("claim", statement, (self.cell, process))
            .await?;
        Ok(row.map(|(beat, state)| Heartbeat {
            beat: beat.unwrap_or_default(),
            dead: state.as_deref() != Some("up"),
        }))
    }

    async fn declare_dead(&self, process: Uuid, beat: i64) -> Result<bool> {
        let statement = &self.link.statements.declare_dead;
        let values = (self.cell, process, beat);
        self.link.transact("claim", statement, values).await
    }

    async fn ring(&self, doorbell: i16, ring: Notification) -> Result<()> {
        let what = ring.what as i8;
        let (queue, shard, kind) = (ring.queue, ring.shard, ring.kind);
        let values = (
            self.cell,
            doorbell,
            queue,
            shard,
            kind,
            what,
            ring.bucket,
            ring.token,
        );
        let statement = &self.link.statements.ring;
        self.link.run("ring", statement, values).await
    }

    async fn notifications(&self, doorbell: i16) -> Result<Vec<Notification>> {
        let make = |(queue, shard, kind, what, bucket, token): (
            Uuid,
            i32,
            i8,
            i8,
            Option<i64>,
            Option<Uuid>,
        )| Notification {
            queue,
            shard,
            kind,
            what: rung(what),
            bucket: bucket.unwrap_or_default(),
            token: token.unwrap_or_default(),
        };
        let statement = &self.link.statements.notifications;
        let values = (self.cell, doorbell);
        self.link.all("receive", statement, values, make).await
    }
}
