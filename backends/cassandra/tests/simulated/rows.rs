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
    Bucket, BucketRow, FactRow, Mark, Marks, MessageRow, Ownership, Pulse, ROWS_MAX, Ring, Rows,
    Settled, Spot, Stream,
};

/// How long a call waits for its quorum.
const TIMEOUT: Duration = Duration::from_millis(400);

/// The cluster as one process sees it.
#[derive(Debug)]
pub(super) struct Simulated(pub(super) Arc<Process>);

impl Simulated {
    async fn write(&self, place: Place, what: What) -> Result<()> {
        self.0.step().await;
        self.is_there("write").await?;
        let stamp = self.0.stamp();
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
    async fn read<T: Send>(
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
    async fn transact<T: Send>(
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
            Decision::Known(outcome, arrivals) => {
                self.acknowledged(arrivals).await?;
                Ok(outcome)
            }
            Decision::InDoubt => Err(self.timed_out().await.effect_unknown()),
        }
    }

    async fn serial<T: Send>(
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

fn pulse(partition: &Partition) -> Option<Pulse> {
    match partition.get(Key::Pulse) {
        Some(Value::Pulse(pulse)) => Some(*pulse),
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

fn fact_rows(partition: &Partition) -> impl Iterator<Item = FactRow> {
    partition
        .iter()
        .filter_map(|(key, value)| match (key, value) {
            (Key::Fact(spot, serial, what), Value::Detail(detail)) => Some(FactRow {
                spot: *spot,
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
            settled: match partition.get(Key::Bucket(number, Column::Settled)) {
                Some(Value::Settled(settled)) => Some(*settled),
                _ => None,
            },
        })
        .collect()
}

#[async_trait]
impl Rows for Simulated {
    fn cell(&self) -> i16 {
        0
    }

    async fn put_messages(&self, bucket: Bucket, rows: &[MessageRow]) -> Result<()> {
        assert!(rows.len() <= ROWS_MAX, "{} rows at once", rows.len());
        let cell = |row: &MessageRow| (Key::Message(row.spot), Value::Message(row.clone()));
        let cells = rows.iter().map(cell).collect();
        self.write(Place::Messages(bucket), What::Put(cells)).await
    }

    async fn messages(&self, bucket: Bucket, from: Spot, max: usize) -> Result<Vec<MessageRow>> {
        let view = |found: &Partition| {
            let rows = message_rows(found).filter(|row| row.spot >= from);
            rows.take(max).cloned().collect()
        };
        self.read(Place::Messages(bucket), view).await
    }

    async fn spots(&self, bucket: Bucket, from: Spot, max: usize) -> Result<Vec<Spot>> {
        let view = |found: &Partition| {
            let spots = message_rows(found).map(|row| row.spot);
            spots.filter(|spot| *spot >= from).take(max).collect()
        };
        self.read(Place::Messages(bucket), view).await
    }

    async fn message(&self, bucket: Bucket, spot: Spot) -> Result<Option<MessageRow>> {
        let view = |found: &Partition| message_rows(found).find(|row| row.spot == spot).cloned();
        self.read(Place::Messages(bucket), view).await
    }

    async fn put_facts(&self, bucket: Bucket, rows: &[FactRow]) -> Result<()> {
        assert!(rows.len() <= ROWS_MAX, "{} rows at once", rows.len());
        let cell = |row: &FactRow| {
            let key = Key::Fact(row.spot, row.serial, row.what);
            (key, Value::Detail(row.detail.clone()))
        };
        let cells = rows.iter().map(cell).collect();
        self.write(Place::Facts(bucket), What::Put(cells)).await
    }

    async fn facts(
        &self,
        bucket: Bucket,
        from: (Spot, i32, i8),
        max: usize,
    ) -> Result<Vec<FactRow>> {
        let view = |found: &Partition| {
            let rows = fact_rows(found).filter(|row| (row.spot, row.serial, row.what) >= from);
            rows.take(max).collect()
        };
        self.read(Place::Facts(bucket), view).await
    }

    async fn facts_of(&self, bucket: Bucket, spot: Spot) -> Result<Vec<FactRow>> {
        let view = |found: &Partition| fact_rows(found).filter(|row| row.spot == spot).collect();
        self.read(Place::Facts(bucket), view).await
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

    async fn note_settled(&self, bucket: Bucket, settled: Settled) -> Result<()> {
        let key = Key::Bucket(bucket.number, Column::Settled);
        let value = Value::Settled(settled);
        self.put(Place::Buckets(bucket.stream), key, value).await
    }

    async fn set_done(&self, bucket: Bucket) -> Result<()> {
        let key = Key::Bucket(bucket.number, Column::Done);
        self.put(Place::Buckets(bucket.stream), key, Value::Set)
            .await
    }

    async fn delete(&self, bucket: Bucket) -> Result<()> {
        self.write(Place::Messages(bucket), What::DeleteAll).await?;
        self.write(Place::Facts(bucket), What::DeleteAll).await
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
            let lives = !pulse(known).is_some_and(|pulse| pulse.dead);
            let next = Pulse { beat, dead: false };
            (lives.then_some((Key::Pulse, Value::Pulse(next))), lives)
        };
        self.transact(Place::Process(process), judge).await
    }

    async fn pulse(&self, process: Uuid) -> Result<Option<Pulse>> {
        self.serial(Place::Process(process), pulse).await
    }

    async fn declare_dead(&self, process: Uuid, beat: i64) -> Result<bool> {
        let judge = |known: &Partition| match pulse(known) {
            Some(pulse) if pulse.dead => (None, true),
            Some(pulse) if pulse.beat == beat => {
                let dead = Pulse { beat, dead: true };
                (Some((Key::Pulse, Value::Pulse(dead))), true)
            }
            _ => (None, false),
        };
        self.transact(Place::Process(process), judge).await
    }

    async fn ring(&self, stripe: i16, ring: Ring) -> Result<()> {
        let key = Key::Ring(ring.queue, ring.shard, ring.what);
        self.put(Place::Rings(stripe), key, Value::Ring(ring)).await
    }

    async fn rings(&self, stripe: i16) -> Result<Vec<Ring>> {
        let view = |found: &Partition| {
            let rings = found.iter().filter_map(|(_, value)| match value {
                Value::Ring(ring) => Some(*ring),
                _ => None,
            });
            rings.collect()
        };
        self.read(Place::Rings(stripe), view).await
    }
}
