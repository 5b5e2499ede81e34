//! Leasing messages.
//!
//! One receive leases a segment: a run of entries of a stream under one row ([`segment`]). Bodies
//! of full batches are read beside the script, in one transaction with it ([`direct`]), where
//! [`path_choice`] expects that to be the faster path.
//!
//! **Owns** which path the next receive takes. That is a guess: both paths are right in each case,
//! and the server says when the direct one does not fit.
//!
//! **Invariant.** A message is handed out only after its segment was written with its lease, its
//! attempt and a random name; that name is the fence of each receipt of the segment. Expired and
//! unreadable rows are settled in the same call and not handed out.
//!
//! **When a process is killed.** What it had leased comes back when the lease ends, one attempt
//! later. Between leasing and settling expired rows, they are leased like others and are met again.
//!
//! **Who writes.** The receive scripts: segments, cursors of streams, and due rows that are moved
//! to their streams.

pub(crate) mod direct;
pub(crate) mod path_choice;
pub(crate) mod segment;

use std::time::Duration;

use longshore_core::validate::check_lease;
use longshore_core::wire::DecodeError;
use longshore_core::{
    DeadReason, Delivery, Message, OnExpired, QueueName, Receive, Received, Result, Timestamp,
};
use redis::Pipeline;
use tokio::time::Instant;

use crate::layout::receipt::Proof;
use crate::layout::row::Row;
use crate::receive::segment::{Batch, Leased};
use crate::settle::{Fate, Item};
use crate::store::RedisStore;

/// How long a row of a newer version is put back.
const SET_ASIDE_MS: u64 = 60_000;
/// Sleepers look again after about this long, whatever happens: a wake-up may get lost.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The longest wait for a message.
const WAIT_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// What is left of a batch when expired and unreadable rows are out of it.
#[derive(Default)]
struct Sorted {
    deliveries: Vec<Delivery>,
    fates: Vec<Item>,
    set_aside: u32,
}

impl RedisStore {
    pub(crate) async fn receive_some(
        &self,
        queue: &QueueName,
        request: Receive,
    ) -> Result<Received> {
        check_lease("receive", request.lease)?;
        // A caller may ask for more than one call hands out.
        let request = Receive {
            batch_max: request.batch_max.min(self.limits.batch_max),
            ..request
        };
        // No wait lasts longer than a year: beyond it clocks overflow.
        let deadline = Instant::now() + request.wait_max.min(WAIT_MAX);
        let mut set_aside = 0;
        loop {
            let sleeps = Instant::now() < deadline;
            let wakeups = self.wakeups.of(queue);
            // Before the server is asked: a ring in between must not get lost.
            let ring = wakeups.notified();
            tokio::pin!(ring);
            ring.as_mut().enable();
            if sleeps {
                self.wakeups.listen().await;
            }
            let (received, next_due) = self.round(queue, &request, sleeps).await?;
            set_aside += received.set_aside;
            if !received.deliveries.is_empty() || !sleeps {
                return Ok(Received::new(received.deliveries, set_aside));
            }
            let wait = self
                .nap(next_due)
                .min(deadline.saturating_duration_since(Instant::now()));
            let was_woken = tokio::time::timeout(wait, ring).await.is_ok();
            // A receive that was not woken, and would have been, need not ask at the end of its wait.
            if !was_woken && Instant::now() >= deadline && self.is_woken() {
                return Ok(Received::new(Vec::new(), set_aside));
            }
        }
    }

    /// Whether this process hears of new messages: its subscription stands, and time goes by
    /// itself.
    fn is_woken(&self) -> bool {
        self.time.clock().is_none() && self.wakeups.is_listening()
    }

    /// How long to sleep where nothing rings.
    fn nap(&self, next_due: Option<i64>) -> Duration {
        let again = LOOK_AGAIN.mul_f64(0.8 + 0.4 * fastrand::f64());
        if self.time.clock().is_some() {
            return again;
        }
        let due = next_due.map(|due| Timestamp::from_millis(due).since(self.time.now()));
        // A little late rather than early: the server's clock decides.
        due.map_or(again, |due| again.min(due + Duration::from_millis(1)))
    }

    /// Asks each partition once, beginning at another one each time.
    async fn round(
        &self,
        queue: &QueueName,
        request: &Receive,
        sleeps: bool,
    ) -> Result<(Received, Option<i64>)> {
        let mut received = Received::default();
        let mut next_due: Option<i64> = None;
        let start = self.next_call();
        for step in 0..u64::from(self.partitions) {
            let partition = ((start + step) % u64::from(self.partitions)) as u16;
            loop {
                let batch = self.lease_from(queue, partition, request, sleeps).await?;
                let some = !batch.leased.is_empty();
                next_due = [next_due, batch.next_due].into_iter().flatten().min();
                let sorted = self.sort(queue, partition, batch).await?;
                received.set_aside += sorted.set_aside;
                let none_left = sorted.fates.is_empty();
                received.deliveries.extend(sorted.deliveries);
                // Rows that were set aside do not hide those behind them. One receive is one
                // segment, so there is no second round once something is to be handed out.
                if !some || none_left || !received.deliveries.is_empty() {
                    break;
                }
            }
            if !received.deliveries.is_empty() {
                break;
            }
        }
        Ok((received, next_due))
    }

    /// Takes out what cannot be handed over, and settles it.
    async fn sort(&self, queue: &QueueName, partition: u16, mut batch: Batch) -> Result<Sorted> {
        self.fetch_bodies(queue, partition, &mut batch.leased)
            .await?;
        let mut sorted = Sorted::default();
        for Leased { row, proof } in batch.leased {
            match row.decode() {
                Ok(message) if message.expires_at.is_some_and(|at| at <= batch.now) => {
                    sorted.fates.push(self.expired(queue, proof).await?);
                }
                Ok(message) => {
                    let delivery = deliver(row, message, &proof, batch.until);
                    sorted.deliveries.push(delivery);
                }
                Err(DecodeError::Newer(_)) => {
                    sorted.set_aside += 1;
                    let mut item = Item::new(Fate::PutBack, proof);
                    item.due = format!("+{SET_ASIDE_MS}");
                    sorted.fates.push(item);
                }
                Err(error) => {
                    sorted.set_aside += 1;
                    tracing::warn!(queue = %queue, id = %row.id(), "a damaged row is set aside: {error}");
                    let mut item = Item::new(Fate::DeadUncharged, proof);
                    item.reason = DeadReason::Damaged.as_str();
                    item.error = error.to_string();
                    sorted.fates.push(item);
                }
            }
        }
        in_lanes(&mut sorted.deliveries);
        if !sorted.fates.is_empty() {
            self.settle_items("receive", queue, partition, &sorted.fates)
                .await?;
        }
        Ok(sorted)
    }

    async fn expired(&self, queue: &QueueName, proof: Proof) -> Result<Item> {
        let discard = self
            .settings_of(queue)
            .await?
            .on_expired
            .unwrap_or_default()
            == OnExpired::Discard;
        let fate = if discard {
            Fate::Discard
        } else {
            Fate::DeadUncharged
        };
        let mut item = Item::new(fate, proof);
        item.reason = DeadReason::Expired.as_str();
        item.error = String::from("it expired before it could be handed out");
        Ok(item)
    }

    async fn fetch_bodies(
        &self,
        queue: &QueueName,
        partition: u16,
        leased: &mut [Leased],
    ) -> Result<()> {
        let rows = leased.iter_mut().map(|leased| &mut leased.row);
        self.fill_bodies("receive", queue, partition, rows).await
    }

    /// Puts large bodies into their rows. A lost one leaves a row that is damaged.
    pub(crate) async fn fill_bodies<'a>(
        &self,
        operation: &'static str,
        queue: &QueueName,
        partition: u16,
        rows: impl Iterator<Item = &'a mut Row>,
    ) -> Result<()> {
        let large: Vec<&mut Row> = rows.filter(|row| row.meta.large).collect();
        if large.is_empty() {
            return Ok(());
        }
        let mut ask = Pipeline::new();
        for row in &large {
            let name = String::from_utf8_lossy(&row.body);
            ask.cmd("GET").arg(self.keys.body(queue, partition, &name));
        }
        let key = self.keys.any(queue, partition);
        let bodies = self.session.bulk(operation, &ask, &key).await?;
        for (row, body) in large.into_iter().zip(bodies) {
            row.body = body.bytes()?;
        }
        Ok(())
    }
}

/// Brings together what each lane got, in the order in which they were served: the first one led.
fn in_lanes(deliveries: &mut [Delivery]) {
    let Some(leads) = deliveries.first().map(|first| first.message.lane) else {
        return;
    };
    deliveries.sort_by_key(|one| (one.message.lane != leads, one.message.lane));
}

fn deliver(row: Row, message: Message, proof: &Proof, until: Timestamp) -> Delivery {
    let mut delivery = Delivery::new(message, proof.to_receipt(), proof.attempt, until);
    delivery.recorded_through = row.meta.recorded;
    delivery.checkpoint = (!row.checkpoint.is_empty()).then_some(row.checkpoint);
    delivery
}
