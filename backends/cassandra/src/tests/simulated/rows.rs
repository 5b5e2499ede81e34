//! The rows of the protocol on the simulated replicas, as one process sees them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::{Result, StoreError, StoreErrorKind};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::network::{Decision, QUORUM};
use super::partition::{Change, Column, Key, Partition, Place, Value, What};
use super::process::Process;
use super::weather::REPLICAS;
use crate::protocol::storage::{
    Bucket, BucketRow, EventRow, Heartbeat, Mark, Marks, MessageRow, Notification, Ownership,
    Position, ROWS_MAX, Storage, Stream, Watermark,
};

/// How long a call waits for its quorum.
const TIMEOUT: Duration = Duration::from_millis(400);

/// The cluster as one process sees it.
#[derive(Debug)]
pub(super) struct Simulated(pub(super) Arc<Process>);

impl Simulated {
    pub(super) async fn write(&self, place: Place, what: What) -> Result<()> {
        self.write_at(place, what, self.0.stamp()).await
    }

    /// Writes with this timestamp.
    pub(super) async fn write_at(&self, place: Place, what: What, stamp: i64) -> Result<()> {
        self.0.step().await;
        self.is_there("write").await?;
        let change = Change { place, stamp, what };
        let arrivals = self.0.network.send(&change);
        self.acknowledged(arrivals).await
    }

    async fn put(&self, place: Place, key: Key, value: Value) -> Result<()> {
        self.write(place, What::Put(vec![(key, value)])).await
    }

    async fn is_there(&self, operation: &'static str) -> Result<()> {
        if !self.0.network.is_unavailable() {
            return Ok(());
        }
        sleep(self.0.network.way_back()).await;
        let message = "two replicas are away";
        Err(StoreError::new(
            StoreErrorKind::Unavailable,
            operation,
            message,
        ))
    }

    /// Waits until a quorum has a write.
    async fn acknowledged(&self, arrivals: [Option<Duration>; REPLICAS]) -> Result<()> {
        let mut times: Vec<_> = arrivals.into_iter().flatten().collect();
        times.sort_unstable();
        let quorum = times.get(QUORUM - 1).filter(|after| **after < TIMEOUT);
        match quorum {
            Some(after) if !self.0.network.loses_answer() => {
                sleep(*after + self.0.network.way_back()).await;
                self.0.step().await;
                Ok(())
            }
            _ => Err(self.timed_out().await.effect_unknown()),
        }
    }

    async fn timed_out(&self) -> StoreError {
        sleep(TIMEOUT).await;
        self.0.step().await;
        StoreError::new(StoreErrorKind::Timeout, "simulated", "nobody answered")
    }

    /// Reads a partition from the two replicas that answer first, and gives both what either has.
    pub(super) async fn read<T: Send>(
        &self,
        place: Place,
        view: impl FnOnce(&Partition) -> T + Send,
    ) -> Result<T> {
        self.0.step().await;
        self.is_there("read").await?;
        let network = &self.0.network;
        let reachable = network.reachable();
        let mut order: Vec<_> = (0..REPLICAS)
            .filter_map(|replica| Some((reachable[replica]?, replica)))
            .collect();
        order.sort_unstable();
        order.truncate(QUORUM);
        let start = Instant::now();
        let mut merged = Partition::default();
        for (after, replica) in &order {
            sleep_until(start + *after).await;
            network.sample(*replica, place, &mut merged);
        }
        for (_, replica) in &order {
            network.repair(*replica, place, &merged);
        }
        if network.loses_answer() {
            return Err(self.timed_out().await);
        }
        sleep(network.way_back()).await;
        self.0.step().await;
        Ok(view(&merged))
    }

    /// A lightweight transaction: `judge` as for [`Network::decide`](super::network::Network).
    pub(super) async fn transact<T: Send>(
        &self,
        place: Place,
        judge: impl FnOnce(&Partition) -> (Option<Cell>, T) + Send,
    ) -> Result<T> {
        self.0.step().await;
        self.is_there("transaction").await?;
        sleep(self.0.network.way_back()).await;
        let judge = |known: &Partition| {
            let (cell, outcome) = judge(known);
            (cell.map(|cell| What::Put(vec![cell])), outcome)
        };
        match self.0.network.decide(place, judge) {
            Decision::StreamProgress(outcome, arrivals) => {
                self.acknowledged(arrivals).await?;
                Ok(outcome)
            }
            Decision::InDoubt => Err(self.timed_out().await.effect_unknown()),
        }
    }

    pub(super) async fn serial<T: Send>(
        &self,
        place: Place,
        view: impl FnOnce(&Partition) -> T + Send,
    ) -> Result<T> {
        self.0.step().await;
        self.is_there("serial read").await?;
        sleep(self.0.network.way_back()).await;
        let seen = self.0.network.serial(place, view);
        if self.0.network.loses_answer() {
            return Err(self.timed_out().await);
        }
        sleep(self.0.network.way_back()).await;
        self.0.step().await;
        Ok(seen)
    }
}

type Cell = (Key, Value);

fn ownership(partition: &Partition) -> Ownership {
    match partition.get(Key::Owner) {
        Some(Value::Owner(ownership)) => *ownership,
        _ => Ownership::default(),
    }
}

fn heartbeat(partition: &Partition) -> Option<Heartbeat> {
    match partition.get(Key::Heartbeat) {
        Some(Value::Heartbeat(heartbeat)) => Some(*heartbeat),
        _ => None,
    }
}

fn mark(partition: &Partition, mark: Mark) -> i64 {
    match partition.get(Key::mark(mark)) {
        Some(Value::Mark(at)) => *at,
        _ => 0,
    }
}

fn message_rows(partition: &Partition) -> impl Iterator<Item = &MessageRow> {
    partition.iter().filter_map(|(_, value)| match value {
        Value::Message(row) => Some(row),
        _ => None,
    })
}

fn event_rows(partition: &Partition) -> impl Iterator<Item = EventRow> {
    partition
        .iter()
        .filter_map(|(key, value)| match (key, value) {
            (Key::Event(position, serial, what), Value::Detail(detail)) => Some(EventRow {
                position: *position,
                serial: *serial,
                what: *what,
                detail: detail.clone(),
            }),
            _ => None,
        })
}

fn bucket_rows(partition: &Partition, from: i64) -> Vec<BucketRow> {
    let registered = partition.iter().filter_map(|(key, _)| match key {
        Key::Bucket(number, Column::Row) if *number >= from => Some(*number),
        _ => None,
    });
    registered
        .map(|number| BucketRow {
            number,
            done: partition.get(Key::Bucket(number, Column::Done)).is_some(),
            watermark: match partition.get(Key::Bucket(number, Column::Watermark)) {
                Some(Value::Watermark(watermark)) => Some(*watermark),
                _ => None,
            },
        })
        .collect()
}

#[async_trait]
impl Storage for Simulated {
    fn cell(&self) -> i16 {
        0
    }

    async fn put_messages(&self, bucket: Bucket, rows: &[MessageRow]) -> Result<()> {
        assert!(rows.len() <= ROWS_MAX, "{} rows at once", rows.len());
        let cell = |row: &MessageRow| (Key::Message(row.position), Value::Message(row.clone()));
        let cells = rows.iter().map(cell).collect();
        self.write(Place::Messages(bucket), What::Put(cells)).await
    }

    async fn messages(
        &self,
        bucket: Bucket,
        from: Position,
        max: usize,
    ) -> Result<Vec<MessageRow>> {
        let view = |found: &Partition| {
            let rows = message_rows(found).filter(|row| row.position >= from);
            rows.take(max).cloned().collect()
        };
        self.read(Place::Messages(bucket), view).await
    }

    async fn positions(&self, bucket: Bucket, from: Position, max: usize) -> Result<Vec<Position>> {
        let view = |found: &Partition| {
            let positions = message_rows(found).map(|row| row.position);
            positions
                .filter(|position| *position >= from)
                .take(max)
                .collect()
        };
        self.read(Place::Messages(bucket), view).await
    }

    async fn message(&self, bucket: Bucket, position: Position) -> Result<Option<MessageRow>> {
        let view = |found: &Partition| {
            message_rows(found)
                .find(|row| row.position == position)
                .cloned()
        };
        self.read(Place::Messages(bucket), view).await
    }

    async fn put_events(&self, bucket: Bucket, rows: &[EventRow]) -> Result<()> {
        assert!(rows.len() <= ROWS_MAX, "{} rows at once", rows.len());
        let cell = |row: &EventRow| {
            let key = Key::Event(row.position, row.serial, row.what);
            (key, Value::Detail(row.detail.clone()))
        };
        let cells = rows.iter().map(cell).collect();
        self.write(Place::Events(bucket), What::Put(cells)).await
    }

    async fn events(
        &self,
        bucket: Bucket,
        from: (Position, i32, i8),
        max: usize,
    ) -> Result<Vec<EventRow>> {
        let view = |found: &Partition| {
            let rows = event_rows(found).filter(|row| (row.position, row.serial, row.what) >= from);
            rows.take(max).collect()
        };
        self.read(Place::Events(bucket), view).await
    }

    async fn events_of(&self, bucket: Bucket, position: Position) -> Result<Vec<EventRow>> {
        let view = |found: &Partition| {
            event_rows(found)
                .filter(|row| row.position == position)
                .collect()
        };
        self.read(Place::Events(bucket), view).await
    }

    async fn register(&self, bucket: Bucket) -> Result<()> {
        let key = Key::Bucket(bucket.number, Column::Row);
        self.put(Place::Buckets(bucket.stream), key, Value::Set)
            .await
    }

    async fn buckets(&self, stream: Stream, from: i64) -> Result<Vec<BucketRow>> {
        let view = |found: &Partition| bucket_rows(found, from);
        self.read(Place::Buckets(stream), view).await
    }

    async fn note_watermark(&self, bucket: Bucket, watermark: Watermark) -> Result<()> {
        let key = Key::Bucket(bucket.number, Column::Watermark);
        let value = Value::Watermark(watermark);
        self.put(Place::Buckets(bucket.stream), key, value).await
    }

    async fn set_done(&self, bucket: Bucket) -> Result<()> {
        let key = Key::Bucket(bucket.number, Column::Done);
        self.put(Place::Buckets(bucket.stream), key, Value::Set)
            .await
    }

    async fn delete(&self, bucket: Bucket) -> Result<()> {
        self.write(Place::Messages(bucket), What::DeleteAll).await?;
        self.write(Place::Events(bucket), What::DeleteAll).await
    }

    async fn forget_buckets(&self, stream: Stream, below: i64) -> Result<()> {
        let what = What::DeleteBelow(below);
        self.write(Place::Buckets(stream), what).await
    }

    async fn marks(&self, stream: Stream) -> Result<Marks> {
        let view = |found: &Partition| Marks {
            closed_to: mark(found, Mark::Closed),
            done_to: mark(found, Mark::Done),
        };
        self.read(Place::Marks(stream), view).await
    }

    async fn raise(&self, stream: Stream, which: Mark, to: i64) -> Result<()> {
        let judge = |known: &Partition| {
            let raised = mark(known, which) < to;
            (raised.then(|| (Key::mark(which), Value::Mark(to))), ())
        };
        self.transact(Place::Marks(stream), judge).await
    }

    async fn owner(&self, stripe: i16) -> Result<Ownership> {
        self.serial(Place::Owner(stripe), ownership).await
    }

    async fn seen_owner(&self, stripe: i16) -> Result<Ownership> {
        self.read(Place::Owner(stripe), ownership).await
    }

    async fn own(&self, stripe: i16, from: Ownership, to: Option<Uuid>) -> Result<bool> {
        let next = Ownership {
            owner: to,
            epoch: from.epoch + 1,
        };
        let judge = |known: &Partition| {
            let same = ownership(known) == from;
            (same.then_some((Key::Owner, Value::Owner(next))), same)
        };
        self.transact(Place::Owner(stripe), judge).await
    }

    async fn beat(&self, process: Uuid, beat: i64) -> Result<bool> {
        let judge = |known: &Partition| {
            let lives = !heartbeat(known).is_some_and(|heartbeat| heartbeat.dead);
            let next = Heartbeat { beat, dead: false };
            (
                lives.then_some((Key::Heartbeat, Value::Heartbeat(next))),
                lives,
            )
        };
        self.transact(Place::Process(process), judge).await
    }

    async fn heartbeat(&self, process: Uuid) -> Result<Option<Heartbeat>> {
        self.serial(Place::Process(process), heartbeat).await
    }

    async fn declare_dead(&self, process: Uuid, beat: i64) -> Result<bool> {
        let judge = |known: &Partition| match heartbeat(known) {
            Some(heartbeat) if heartbeat.dead => (None, true),
            Some(heartbeat) if heartbeat.beat == beat => {
                let dead = Heartbeat { beat, dead: true };
                (Some((Key::Heartbeat, Value::Heartbeat(dead))), true)
            }
            _ => (None, false),
        };
        self.transact(Place::Process(process), judge).await
    }

    async fn ring(&self, stripe: i16, ring: Notification) -> Result<()> {
        let key = Key::Notification(ring.queue, ring.shard, ring.what);
        self.put(Place::Notifications(stripe), key, Value::Notification(ring))
            .await
    }

    async fn notifications(&self, stripe: i16) -> Result<Vec<Notification>> {
        let view = |found: &Partition| {
            let notifications = found.iter().filter_map(|(_, value)| match value {
                Value::Notification(ring) => Some(*ring),
                _ => None,
            });
            notifications.collect()
        };
        self.read(Place::Notifications(stripe), view).await
    }
}
