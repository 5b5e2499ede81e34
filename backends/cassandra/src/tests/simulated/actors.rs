//! What the processes of a run do: producers that store messages, owners that deliver them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{
    AttemptRecord, Disposition, Due, Effect, IdOrigin, JobKind, Label, MessageId, NewMessage,
    QueueSettings, Received, Result, Settled, wire,
};
use tokio::time::sleep;
use uuid::Uuid;

use super::history::History;
use super::process::Process;
use super::weather::STORM;
use crate::ownership::stripe::{doorbell_of, stripe_of};
use crate::producer::append::Producer;
use crate::protocol::hybrid_clock::Hybrid;
use crate::protocol::receipt::DeliveryTag;
use crate::protocol::storage::{
    Bucket, MessageRow, Notification, NotificationKind, Position, Storage, Stream,
};
use crate::protocol::stream_kind;
use crate::settle::unowned;
use crate::shard::Shard;
use crate::shard::lease::Order;

/// The one queue of a run.
pub(super) const QUEUE: Uuid = Uuid::from_u128(7);
/// Leases that a paused worker outlasts now and then.
pub(super) const LEASE: Duration = Duration::from_secs(20);
/// The longest delays.
const LONG: Duration = Duration::from_secs(1800);
/// How long owners go on in calm weather: everything falls due, all leases end, all buckets of
/// the storm are closed, deleted and forgotten.
pub(super) const CALM: Duration = Duration::from_secs(3600);

/// A process and what it knows.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) process: Arc<Process>,
    pub(super) storage: Arc<dyn Storage>,
    hybrid: Arc<Hybrid>,
    history: Arc<Mutex<History>>,
    /// Whether it plays among owners that share a stripe: it rings a doorbell for what it stores,
    /// and its handlers fail for longer.
    shares: bool,
}

impl Actor {
    pub(super) fn new(
        process: &Arc<Process>,
        storage: Arc<dyn Storage>,
        history: &Arc<Mutex<History>>,
    ) -> Self {
        Self {
            process: process.clone(),
            storage,
            hybrid: Arc::default(),
            history: history.clone(),
            shares: false,
        }
    }

    /// The same among owners that share a stripe.
    pub(super) fn sharing(self) -> Self {
        Self {
            shares: true,
            ..self
        }
    }

    pub(super) fn note(&self, what: impl FnOnce(&mut History)) {
        what(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn is_storm(&self) -> bool {
        self.process.network.elapsed() < STORM
    }

    /// Stores messages now and then, some of them with a due time; repeats what failed. Some wait
    /// so long that their bucket is emptied of them.
    pub(super) async fn produce(self, ids: Vec<MessageId>) {
        let producer = Producer::new(self.storage.clone());
        let mut ids = ids.as_slice();
        while !ids.is_empty() {
            let most = if self.process.one_of(2) == 0 {
                300
            } else {
                30_000
            };
            sleep(self.process.some_time(most)).await;
            self.process.step().await;
            let (batch, rest) = ids.split_at(ids.len().min(1 + self.process.one_of(3)));
            ids = rest;
            self.store(&producer, batch).await;
        }
    }

    async fn store(&self, producer: &Producer, ids: &[MessageId]) {
        let delay = match self.process.one_of(16) {
            0 => self.process.some_time(LONG.as_millis() as u64),
            1..4 => self.process.some_time(90_000),
            _ => Duration::ZERO,
        };
        let now = self.process.now();
        let stream = Stream {
            queue: QUEUE,
            shard: 0,
            kind: if delay.is_zero() {
                1
            } else {
                stream_kind::DELAYED
            },
        };
        let rows: Vec<_> = ids.iter().map(|id| self.row(*id, delay)).collect();
        self.note(|history| history.tried.extend(ids));
        for _ in 0..4 {
            match producer.store(stream, now.plus(delay), &rows).await {
                Ok(bucket) => {
                    self.note(|history| history.stored.extend(ids));
                    return self.ring(bucket).await;
                }
                Err(error) => assert!(error.effect() == Effect::Unknown || error.is_retryable()),
            }
            sleep(self.process.some_time(1000)).await;
        }
    }

    /// A ring is a hint: what comes of it is not looked at.
    async fn ring(&self, bucket: Bucket) {
        if !self.shares {
            return;
        }
        let stream = bucket.stream;
        let ring = Notification {
            queue: QUEUE,
            shard: stream.shard,
            kind: stream.kind,
            what: NotificationKind::Messages,
            bucket: bucket.number,
            token: Uuid::from_u128(fastrand::u128(..)),
        };
        let doorbell = doorbell_of(stripe_of(QUEUE, stream.shard));
        let _ = self.storage.ring(doorbell, ring).await;
    }

    pub(super) fn row(&self, id: MessageId, delay: Duration) -> MessageRow {
        let now = self.process.now();
        let kind = JobKind::new("job").expect("a kind");
        let mut message = NewMessage::new(id, IdOrigin::Fresh, kind, Bytes::new());
        message.due = Some(Due::In(delay));
        let message = message.stored_at(now, None);
        let sequence = self.hybrid.next(now);
        let due = message.due_at.as_millis();
        MessageRow {
            position: Position {
                pos: if delay.is_zero() {
                    sequence
                } else {
                    due * 1000
                },
                id: id.as_uuid(),
            },
            revision: 0,
            lane: 1,
            group: None,
            due_ms: due,
            sequence,
            head: Bytes::from(wire::encode(&message)),
            body: Bytes::new(),
            start: Bytes::new(),
        }
    }

    /// Owns the shard, as if nobody else did: takes it over now and then, and whenever what it
    /// knows may be wrong.
    pub(super) async fn own(self) {
        while self.process.network.elapsed() < STORM + CALM {
            let (now, is_storm) = (self.process.now(), self.is_storm());
            let hybrid = self.hybrid.clone();
            let loaded = Shard::load(self.storage.clone(), QUEUE, 0, hybrid, now).await;
            let Ok(mut shard) = loaded else {
                sleep(self.process.some_time(2000)).await;
                continue;
            };
            // In calm weather it is the only one and stays it; it takes the shard over once more.
            let turns = 1 + self.process.one_of(40);
            let mut turn = 0;
            while !shard.is_stale && is_storm == self.is_storm() && (turn < turns || !is_storm) {
                turn += 1;
                self.turn(&mut shard).await;
                if self.process.network.elapsed() >= STORM + CALM {
                    return;
                }
            }
        }
    }

    async fn turn(&self, shard: &mut Shard) {
        let most = if self.is_storm() { 20_000 } else { 240_000 };
        sleep(self.process.some_time(most)).await;
        self.process.step().await;
        let now = self.process.now();
        if shard
            .refresh(&[1, stream_kind::DELAYED], now)
            .await
            .is_err()
        {
            return;
        }
        let order = Order {
            max: 1 + self.process.one_of(5),
            lease: LEASE,
            of_lanes: None,
            settings: QueueSettings::default(),
        };
        let Ok(received) = shard.hand_out(&order, self.process.now()).await else {
            return;
        };
        // The process may be paused between the write of the lease and the hand-out.
        self.process.step().await;
        let tags = self.delivered(received);
        self.work(shard, &tags).await;
        self.maintain(shard).await;
    }

    /// Notes what was handed out. Answers the proofs of it.
    pub(super) fn delivered(&self, received: Received) -> Vec<DeliveryTag> {
        let mut tags = Vec::new();
        for delivery in received.deliveries {
            let tag = DeliveryTag::of(&delivery.receipt).expect("a receipt of this store");
            tags.push(tag);
            // What it took over in the storm may have been finished by others.
            let is_calm = self.process.network.elapsed() > STORM + LEASE;
            self.note(|history| {
                *history.delivered.entry(delivery.message.id).or_default() += 1;
                let again = is_calm && history.acked.contains(&(tag.bucket, tag.position));
                history.delivered_after_ack += u32::from(again);
            });
        }
        tags
    }

    /// Takes its time, then ends the deliveries: mostly with an ack, as the owner or as any other
    /// process does. Lets some of them go.
    async fn work(&self, shard: &mut Shard, tags: &[DeliveryTag]) {
        let Some(end) = self.end_of(tags).await else {
            return;
        };
        let settled = if self.is_storm() && self.process.one_of(3) == 0 {
            self.settle_from_afar(tags, &end).await
        } else {
            let items: Vec<_> = tags.iter().map(|tag| (*tag, &end)).collect();
            let settings = QueueSettings::default();
            let begun = shard.begin_settle(&items, &settings, self.process.now());
            match begun.await {
                Ok((outcomes, Some(write))) => write.complete().await.map(|()| outcomes),
                begun => begun.map(|(outcomes, _)| outcomes),
            }
        };
        self.ended(tags, &end, settled);
    }

    /// What the handler of some deliveries comes to, after a while; nothing if nobody hears of
    /// it.
    pub(super) async fn end_of(&self, tags: &[DeliveryTag]) -> Option<Disposition> {
        let quiet = if self.shares { STORM + CALM / 4 } else { STORM };
        let may_fail = self.process.network.elapsed() < quiet;
        if tags.is_empty() || may_fail && self.process.one_of(8) == 0 {
            return None;
        }
        sleep(self.process.some_time(500)).await;
        let end = match self.process.one_of(8) {
            0 if may_fail => self.retry(),
            1 if may_fail => Disposition::Release {
                due: None,
                checkpoint: None,
            },
            _ => Disposition::Ack,
        };
        if end == Disposition::Ack {
            let ids = tags.iter().map(|tag| MessageId::from_uuid(tag.position.id));
            self.note(|history| history.finished.extend(ids));
        }
        Some(end)
    }

    /// Notes how deliveries ended.
    pub(super) fn ended(
        &self,
        tags: &[DeliveryTag],
        end: &Disposition,
        settled: Result<Vec<Settled>>,
    ) {
        let applied = tags.iter().zip(settled.into_iter().flatten());
        // An owner that was in the storm may still have as waiting what a process that stood still
        // handed out after it had lost the stripe: only what ends in calm weather stays ended.
        let may_come_back = self.shares && self.process.network.elapsed() < STORM + LEASE;
        let is_ack = *end == Disposition::Ack && !may_come_back;
        let applied = applied.filter(|(_, outcome)| is_ack && *outcome == Settled::Applied);
        let acked = applied.map(|(tag, _)| (tag.bucket, tag.position));
        self.note(|history| history.acked.extend(acked));
    }

    fn retry(&self) -> Disposition {
        let now = self.process.now();
        let label = Label::new("tried").expect("a label");
        Disposition::Retry {
            due: Due::In(match self.process.one_of(4) {
                0 => self.process.some_time(LONG.as_millis() as u64),
                _ => self.process.some_time(60_000),
            }),
            record: AttemptRecord::new("w", now, now, label, "it failed"),
            checkpoint: None,
        }
    }

    pub(super) async fn settle_from_afar(
        &self,
        tags: &[DeliveryTag],
        end: &Disposition,
    ) -> Result<Vec<Settled>> {
        let settings = QueueSettings::default();
        let mut outcomes = Vec::new();
        for tag in tags {
            let now = self.process.now();
            let sequence = self.hybrid.next(now);
            let settled = unowned::settle(&*self.storage, tag, end, &settings, now, sequence);
            outcomes.push(settled.await?);
        }
        Ok(outcomes)
    }

    pub(super) async fn maintain(&self, shard: &mut Shard) {
        let producer = Producer::new(self.storage.clone());
        // A failure marks the shard as stale, as it does for any owner.
        let kept = async {
            shard.maintain(&producer, self.process.now()).await?;
            while shard.scan_next(self.process.now()).await? {}
            Ok::<_, longshore_core::StoreError>(())
        };
        let _ = kept.await;
    }
}
