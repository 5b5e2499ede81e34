//! A queue with a backlog, and an owner whose window is small.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{
    AttemptRecord, DeadReason, Delivery, Disposition, Due, IdOrigin, JobKind, Label, MessageId,
    NewMessage, QueueSettings, Settled, Timestamp, wire,
};
use uuid::Uuid;

use super::rows::Kept;
use crate::producer::append::Producer;
use crate::protocol::hybrid_clock::Hybrid;
use crate::protocol::receipt::DeliveryTag;
use crate::protocol::storage::{MessageRow, Position, ROWS_MAX, Stream};
use crate::protocol::stream_kind;
use crate::shard::Shard;
use crate::shard::lease::Order;
use crate::shard::load::window::Window;

pub(super) const QUEUE: Uuid = Uuid::from_u128(7);
pub(super) const LEASE: Duration = Duration::from_secs(30);
pub(super) const WINDOW: Window = Window {
    ready: 200,
    held: 800,
    soon: 100,
    far: 50,
    part: 100,
};

/// The rows of a queue, and the time.
pub(super) struct Backlog {
    pub(super) storage: Arc<Kept>,
    pub(super) hybrid: Arc<Hybrid>,
    pub(super) now: Timestamp,
    pub(super) producer: Producer,
    stored: u128,
}

impl Backlog {
    pub(super) fn new() -> Self {
        let rows = Arc::new(Kept::default());
        Self {
            producer: Producer::new(rows.clone()),
            storage: rows,
            hybrid: Arc::default(),
            now: Timestamp::from_millis(1_800_000_000_000),
            stored: 0,
        }
    }

    /// Stores messages in a lane, one a millisecond, numbered on. A group takes each.
    pub(super) async fn store(&mut self, lane: i8, count: usize, group: Option<&str>) {
        let mut left = count;
        while left > 0 {
            let some = left.min(ROWS_MAX);
            left -= some;
            let begin = self.now;
            let rows: Vec<_> = (0..some).map(|_| self.row(lane, group)).collect();
            let stream = stream(lane);
            self.producer
                .store(stream, begin, &rows)
                .await
                .expect("stored");
        }
    }

    /// Stores a message as slowly as this: it comes to lie behind what was stored meanwhile.
    pub(super) async fn store_late(&mut self, lane: i8, by: Duration) {
        let mut row = self.row(lane, None);
        row.position.pos -= i64::try_from(by.as_micros()).expect("a short time");
        let at = Timestamp::from_millis(row.position.pos / 1000);
        let rows = std::slice::from_ref(&row);
        let stored = self.producer.store(stream(lane), at, rows).await;
        stored.expect("stored");
    }

    fn row(&mut self, lane: i8, group: Option<&str>) -> MessageRow {
        self.stored += 1;
        self.now = self.now.plus(Duration::from_millis(1));
        let id = Uuid::from_u128(self.stored);
        let kind = JobKind::new("job").expect("a kind");
        let new = NewMessage::new(
            MessageId::from_uuid(id),
            IdOrigin::Fresh,
            kind,
            Bytes::new(),
        );
        let message = new.stored_at(self.now, None);
        let sequence = self.hybrid.next(self.now);
        MessageRow {
            position: Position { pos: sequence, id },
            revision: 0,
            lane,
            group: group.map(str::to_owned),
            due_ms: message.due_at.as_millis(),
            sequence,
            head: Bytes::from(wire::encode(&message)),
            body: Bytes::new(),
            start: Bytes::new(),
        }
    }

    /// Stores messages that are due in a while.
    pub(super) async fn store_delayed(&mut self, count: usize, delay: Duration) {
        for _ in 0..count {
            let mut row = self.row(1, None);
            let due = self.now.plus(delay);
            row.due_ms = due.as_millis();
            let rows = std::slice::from_ref(&row);
            let stored = self.producer.store(stream(stream_kind::DELAYED), due, rows);
            stored.await.expect("stored");
        }
    }

    pub(super) async fn take_over(&self) -> Shard {
        let rows = self.storage.clone();
        let mut shard = Shard::unread(rows, QUEUE, 0, self.hybrid.clone(), WINDOW);
        shard.begin(self.now).await.expect("read");
        shard
    }

    pub(super) async fn receive(&self, shard: &mut Shard, max: usize) -> Vec<Delivery> {
        let order = Order {
            max,
            lease: LEASE,
            of_lanes: None,
            settings: QueueSettings::default(),
        };
        let received = shard.hand_out(&order, self.now).await;
        let deliveries = received.expect("received").deliveries;
        let all = shard.index.entries.len();
        let most = WINDOW.held + WINDOW.soon + 2 * WINDOW.far + 600;
        assert!(all <= most, "{all} messages in memory");
        deliveries
    }

    pub(super) async fn end(&self, shard: &mut Shard, all: &[Delivery], how: &Disposition) {
        let items: Vec<_> = all
            .iter()
            .map(|one| (DeliveryTag::of(&one.receipt).expect("a receipt"), how))
            .collect();
        let settings = QueueSettings::default();
        let begun = shard.begin_settle(&items, &settings, self.now).await;
        let (settled, write) = begun.expect("settled");
        if let Some(write) = write {
            write.complete().await.expect("written");
        }
        assert!(settled.iter().all(|it| *it == Settled::Applied));
    }

    pub(super) async fn maintain(&self, shard: &mut Shard) {
        let kept = shard.maintain(&self.producer, self.now).await;
        kept.expect("kept");
        while shard.scan_next(self.now).await.expect("kept on") {}
    }

    pub(super) fn wait(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }
}

pub(super) fn retry(now: Timestamp, delay: Duration) -> Disposition {
    Disposition::Retry {
        due: Due::In(delay),
        record: record(now, "it failed"),
        checkpoint: None,
    }
}

pub(super) fn dead_lettered(now: Timestamp, park_group: bool) -> Disposition {
    Disposition::DeadLetter {
        reason: DeadReason::Requested,
        record: record(now, "it broke"),
        park_group,
        checkpoint: None,
    }
}

fn record(now: Timestamp, error: &str) -> AttemptRecord {
    let label = Label::new("tried").expect("a label");
    AttemptRecord::new("w", now, now, label, error)
}

fn stream(kind: i8) -> Stream {
    Stream {
        queue: QUEUE,
        shard: 0,
        kind,
    }
}

/// The numbers that messages were stored under.
pub(super) fn numbers(deliveries: &[Delivery]) -> Vec<u128> {
    let number = |one: &Delivery| one.message.id.as_uuid().as_u128();
    deliveries.iter().map(number).collect()
}
