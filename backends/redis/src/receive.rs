//! Leasing messages.

use std::time::Duration;

use bytes::Bytes;
use longshore_core::validate::check_lease;
use longshore_core::wire::DecodeError;
use longshore_core::{
    DeadReason, Delivery, Effect, Message, OnExpired, QueueName, Receive, Received, Result,
    StoreErrorKind, Timestamp,
};
use redis::Pipeline;
use tokio::time::Instant;

use crate::error::strange;
use crate::link::Call;
use crate::receipt::{AckWay, Proof, entry_parts, segment_name};
use crate::reply::Reply;
use crate::row::Row;
use crate::script;
use crate::settle::{Fate, Item};
use crate::store::{RedisStore, told};

/// How long a row of a newer version is put back.
const SET_ASIDE_MS: u64 = 60_000;
/// Sleepers look again after about this long, whatever happens: a wake-up may get lost.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// For how long the server keeps the name of a sleeper: longer than it sleeps.
const SLEEPER_MS: u64 = 3_000;

/// The longest wait for a message.
const WAIT_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// A row that was leased.
struct Leased {
    row: Row,
    proof: Proof,
}

/// What one partition answered.
struct Batch {
    now: Timestamp,
    until: Timestamp,
    next_due: Option<i64>,
    leased: Vec<Leased>,
}

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
            let bell = self.bell.of(queue);
            // Before the server is asked: a ring in between must not get lost.
            let ring = bell.notified();
            tokio::pin!(ring);
            ring.as_mut().enable();
            if sleeps {
                self.bell.listen().await;
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
            // Whoever was not woken, and would have been, need not ask at the end of its wait.
            if !was_woken && Instant::now() >= deadline && self.is_woken() {
                return Ok(Received::new(Vec::new(), set_aside));
            }
        }
    }

    /// Whether this process hears of new messages: its subscription stands, and time goes by
    /// itself.
    fn is_woken(&self) -> bool {
        self.time.clock().is_none() && self.bell.is_listening()
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

    async fn lease_from(
        &self,
        queue: &QueueName,
        partition: u16,
        request: &Receive,
        sleeps: bool,
    ) -> Result<Batch> {
        let segment = fastrand::u64(..);
        let mut call = self.call("receive", &script::RECEIVE, queue, partition);
        let lease_ms = u64::try_from(request.lease.as_millis()).unwrap_or(u64::MAX);
        call.arg(segment_name(segment))
            .arg(request.batch_max.get())
            .arg(lease_ms.min(1 << 52))
            .arg(if sleeps { self.bell.channel() } else { "" })
            .arg(SLEEPER_MS)
            .arg(queue.as_str());
        let reply = self.lease_once(&call).await?;
        let mut parts = reply.list()?.into_iter();
        let mut next = || {
            parts
                .next()
                .ok_or_else(|| strange("receive", "an answer is too short"))
        };
        let now = told(self, next()?)?;
        next()?;
        let until = next()?.number()?;
        let next_due = next()?.optional_number()?;
        let mut leased = Vec::new();
        for run in parts {
            read_run(run, partition, segment, &mut leased)?;
        }
        Ok(Batch {
            now: Timestamp::from_millis(now),
            until: Timestamp::from_millis(until),
            next_due,
            leased,
        })
    }

    /// Sends a call to lease. Where the connection broke and nobody knows whether it arrived, it
    /// is sent once more: the name of the segment is the same, so the server answers the same run
    /// and no message is charged for a lost answer.
    async fn lease_once(&self, call: &Call) -> Result<Reply> {
        match self.link.run(call).await {
            Err(error)
                if error.kind() == StoreErrorKind::Unavailable
                    && error.effect() == Effect::Unknown =>
            {
                self.link.run(call).await
            }
            answered => answered,
        }
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
        let bodies = self.link.bulk(operation, &ask, &key).await?;
        for (row, body) in large.into_iter().zip(bodies) {
            row.body = body.bytes()?;
        }
        Ok(())
    }
}

fn deliver(row: Row, message: Message, proof: &Proof, until: Timestamp) -> Delivery {
    let mut delivery = Delivery::new(message, proof.to_receipt(), proof.attempt, until);
    delivery.recorded_through = row.meta.recorded;
    delivery.checkpoint = (!row.checkpoint.is_empty()).then_some(row.checkpoint);
    delivery
}

/// Reads `{lane, base, flags, entries, checkpoints}`.
fn read_run(run: Reply, partition: u16, segment: u64, leased: &mut Vec<Leased>) -> Result<()> {
    let mut parts = run.list()?.into_iter();
    let mut next = || {
        parts
            .next()
            .ok_or_else(|| strange("receive", "a run is too short"))
    };
    let lane = next()?.number()? as u8;
    let base = next()?.number()? as u32;
    let released_with_checkpoint = !next()?.bytes()?.is_empty();
    let entries = next()?.list()?;
    let checkpoint: Option<Bytes> = match parts.next() {
        Some(checkpoints) if released_with_checkpoint => checkpoints
            .list()?
            .into_iter()
            .next()
            .map(Reply::bytes)
            .transpose()?,
        _ => None,
    };
    for entry in entries {
        let [name, fields] = entry.fixed()?;
        let name = name.text()?;
        let entry = entry_parts(&name).ok_or_else(|| strange("receive", "an entry has no name"))?;
        let mut row = Row::of_fields(fields)?;
        if let Some(checkpoint) = &checkpoint {
            row.checkpoint = checkpoint.clone();
        }
        let proof = Proof {
            partition,
            lane,
            ack: if released_with_checkpoint {
                AckWay::Special
            } else {
                row.ack_way()
            },
            attempt: row.meta.attempts + base + 1,
            segment,
            entry,
        };
        leased.push(Leased { row, proof });
    }
    Ok(())
}
