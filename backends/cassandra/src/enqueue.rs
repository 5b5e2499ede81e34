//! Storing new messages.

pub(crate) mod admission;
pub(crate) mod coalesce;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use longshore_core::validate::check_batch;
use longshore_core::{
    Enqueued, IdOrigin, MessageId, NewMessage, QueueName, QueueSettings, Result, StoreError,
    StoreErrorKind, Timestamp, wire,
};
use uuid::Uuid;

use crate::cql::queue_def::QueueDef;
use crate::enqueue::admission::Refused;
use crate::ownership::stripe::{doorbell_of, stripe_of};
use crate::producer::append::cut;
use crate::producer::recent_ids::Call;
use crate::protocol::storage::{MessageRow, Notification, NotificationKind, Position, Stream};
use crate::protocol::stream_kind;
use crate::shard::buckets::depth::Pages;
use crate::store::{Inner, limits};

/// When a producer that found a queue full may try again.
const RETRY_FULL: Duration = Duration::from_secs(1);

/// Messages of one stream, by the time whose bucket they go to.
type Parts = BTreeMap<(Stream, i64), Vec<MessageRow>>;

impl Inner {
    /// Stores a batch.
    pub(crate) async fn enqueue(
        self: &Arc<Self>,
        name: &QueueName,
        batch: &[NewMessage],
    ) -> Result<Vec<Enqueued>> {
        let known = self.catalog.get(name).await?;
        let settings = known
            .as_ref()
            .map_or_else(QueueSettings::default, |def| def.settings.clone());
        check_batch("enqueue", batch, &settings, &limits(self.catalog.shards))?;
        let outcomes = self.judge(name, batch, &Refused::new());
        self.check_depth(known.as_deref(), batch, &outcomes).await?;
        let def = match known {
            Some(def) if !def.is_deleted => def,
            _ => self.catalog.get_or_create(name).await?,
        };
        let now = self.now();
        let (outcomes, claims) = self.claim(name, def.queue, batch, now).await?;
        let stored = || {
            let both = batch.iter().zip(&outcomes);
            both.filter(|(_, outcome)| **outcome == Enqueued::Stored)
                .map(|(new, _)| new)
        };
        let call = Call::default();
        let parts = self.rows_of(name, &def, stored(), now, &call);
        self.store(parts).await.map_err(|error| {
            // Keys that were claimed stay claimed.
            if claims.is_empty() {
                error
            } else {
                error.effect_unknown()
            }
        })?;
        let told = claims
            .iter()
            .map(|(claim, since_ms)| self.keys.stored(claim, *since_ms));
        try_join_all(told)
            .await
            .map_err(StoreError::effect_unknown)?;
        call.done();
        Ok(outcomes)
    }

    /// Refuses what would pass the limit of the queue, by what its rows say now.
    async fn check_depth(
        self: &Arc<Self>,
        def: Option<&QueueDef>,
        batch: &[NewMessage],
        outcomes: &[Enqueued],
    ) -> Result<()> {
        let Some((def, max)) = def.and_then(|def| Some((def, def.settings.depth_max?))) else {
            return Ok(());
        };
        let new = batch.iter().zip(outcomes);
        let new = new.filter(|(_, outcome)| **outcome == Enqueued::Stored);
        let ids: Vec<MessageId> = new.map(|(new, _)| new.id).collect();
        let depth = match self.depths.add(def.queue, ids.len()) {
            Some(depth) => depth,
            None => self.depth_with(def, &ids).await?,
        };
        if depth as u64 <= max {
            return Ok(());
        }
        Err(StoreError::new(
            StoreErrorKind::Overloaded,
            "enqueue",
            format!("the queue would hold {depth} messages, at most {max} are allowed"),
        )
        .retry_after(RETRY_FULL))
    }

    /// How deep a queue would be with these messages: exact while all of it is in memory.
    async fn depth_with(self: &Arc<Self>, def: &QueueDef, ids: &[MessageId]) -> Result<usize> {
        let mut depth = ids.len();
        let mut is_exact = true;
        for shard in 0..def.shards {
            let mut looked = self.look(def, shard).await?;
            let estimate = looked.estimate(Pages::SHORT, self.now()).await?;
            let Some(shard) = looked.shard_mut() else {
                continue;
            };
            let here = shard.here(ids, self.now()).len();
            is_exact &= shard.is_whole();
            let live = shard.index.order.len() + (estimate.waiting + estimate.delayed) as usize;
            depth = (depth + live).saturating_sub(here);
        }
        if !is_exact {
            self.depths.keep(def.queue, depth);
        }
        Ok(depth)
    }

    fn rows_of<'a>(
        &self,
        name: &QueueName,
        def: &QueueDef,
        batch: impl Iterator<Item = &'a NewMessage>,
        now: Timestamp,
        call: &Call,
    ) -> Parts {
        let mut first = None;
        let mut parts = Parts::new();
        for new in batch {
            let message = new.stored_at(now, def.settings.expires());
            // A repeat comes to the shard of the first, where copies are collapsed: of a given
            // id by the id, of a call by its first id, so that a call is few mutations.
            let id = message.id.as_uuid();
            let shard = match &message.group {
                Some(group) => xxhash_rust::xxh3::xxh3_64(group.as_str().as_bytes()),
                None if message.id_origin == IdOrigin::Given => {
                    xxhash_rust::xxh3::xxh3_64(id.as_bytes())
                }
                None => xxhash_rust::xxh3::xxh3_64(first.get_or_insert(id).as_bytes()),
            };
            let shard = (shard % u64::from(def.shards.unsigned_abs().max(1))) as i32;
            let next = || self.owner.hybrid.next(now);
            let sequence = match new.id_origin {
                IdOrigin::Fresh => self.recent.sequence(name, message.id, call, next),
                IdOrigin::Given => next(),
            };
            let is_late = message.due_at > now;
            let (kind, at) = if is_late {
                (stream_kind::DELAYED, message.due_at)
            } else {
                (stream_kind::of(message.lane), now)
            };
            // Never the due time: a later message of the same id must not come to the same
            // position.
            let pos = sequence;
            let row = MessageRow {
                position: Position { pos, id },
                revision: 0,
                lane: stream_kind::of(message.lane),
                group: message.group.as_ref().map(|it| it.as_str().to_owned()),
                due_ms: message.due_at.as_millis(),
                sequence,
                head: Bytes::from(wire::encode(&message)),
                body: message.body,
                start: Bytes::new(),
            };
            let queue = def.queue;
            let stream = Stream { queue, shard, kind };
            let begin = at.as_millis() / stream_kind::width_ms(kind) * stream_kind::width_ms(kind);
            parts.entry((stream, begin)).or_default().push(row);
        }
        parts
    }

    /// Stores messages and tells their owners.
    pub(crate) async fn store(self: &Arc<Self>, parts: Parts) -> Result<()> {
        let mut writes: Vec<_> = parts
            .into_iter()
            .map(|(place, rows)| self.store_coalesced(place, rows))
            .collect();
        if writes.len() == 1 {
            // The common case, without the cost of joining.
            return writes.remove(0).await;
        }
        // All to their ends: others wait in line behind each of them.
        let done: Result<Vec<()>> = join_all(writes).await.into_iter().collect();
        done.map(drop).map_err(StoreError::effect_unknown)
    }

    /// Stores messages of one place at once, and tells its owner.
    pub(crate) async fn store_now(
        &self,
        (stream, at): (Stream, i64),
        rows: Vec<MessageRow>,
    ) -> Result<()> {
        let at = Timestamp::from_millis(at);
        let bucket = self.producer.store_all(stream, at, &cut(&rows)).await?;
        self.tell(bucket, rows).await
    }

    /// Stores a row with the given bytes as its stored form.
    pub(crate) async fn plant(
        self: &Arc<Self>,
        name: &QueueName,
        new: &NewMessage,
        head: Vec<u8>,
        body: Vec<u8>,
    ) -> Result<()> {
        let def = self.catalog.get_or_create(name).await?;
        let new = std::iter::once(new);
        let mut parts = self.rows_of(name, &def, new, self.now(), &Call::default());
        for row in parts.values_mut().flatten() {
            row.head = Bytes::from(head.clone());
            row.body = Bytes::from(body.clone());
        }
        self.store(parts).await
    }

    /// Tells the owner of messages that they are there.
    async fn tell(
        &self,
        bucket: crate::protocol::storage::Bucket,
        rows: Vec<MessageRow>,
    ) -> Result<()> {
        let stream = bucket.stream;
        if self.owner.pass_on(bucket, rows) {
            return Ok(());
        }
        let ring = Notification {
            queue: stream.queue,
            shard: stream.shard,
            kind: stream.kind,
            what: NotificationKind::Messages,
            bucket: bucket.number,
            token: Uuid::from_u128(fastrand::u128(..)),
        };
        let doorbell = doorbell_of(stripe_of(stream.queue, stream.shard));
        // A ring is a hint: the messages are stored, and found by the sweep.
        let told = self.owner.storage.ring(doorbell, ring).await;
        if let Err(error) = told {
            tracing::debug!(%error, "the owner was not told of new messages");
        }
        self.owner.changed.notify_waiters();
        Ok(())
    }

    /// Tells the owner of a shard that another process wrote events.
    pub(crate) async fn announce_events(&self, queue: Uuid, shard: i32) -> Result<()> {
        let ring = Notification {
            queue,
            shard,
            kind: 0,
            what: NotificationKind::Events,
            bucket: 0,
            token: Uuid::from_u128(fastrand::u128(..)),
        };
        let told = self
            .owner
            .storage
            .ring(doorbell_of(stripe_of(queue, shard)), ring);
        told.await.map_err(StoreError::effect_unknown)
    }
}
