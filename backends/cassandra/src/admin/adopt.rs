//! Taking over messages of another queue or store.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use longshore_core::{
    Adopted, Content, GroupName, Lane, QueueName, Result, StoredMessage, Timestamp, wire,
};
use uuid::Uuid;

use crate::cql::dedup_keys::{Claim, Claimed};
use crate::cql::queue_def::QueueDef;
use crate::protocol::snapshot::{Death, Snapshot};
use crate::protocol::storage::{MessageRow, Position, Stream};
use crate::protocol::stream_kind;
use crate::shard_access::Looked;
use crate::store::Inner;

impl Inner {
    /// Takes over messages.
    pub(crate) async fn adopt(
        self: &Arc<Self>,
        name: &QueueName,
        messages: &[StoredMessage],
    ) -> Result<Vec<Adopted>> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let def = self.catalog.get_or_create(name).await?;
        let looked = self.own_all("adopt", &def).await?;
        let answers = self.adopt_into(&def, &looked, messages).await;
        drop(looked);
        self.leave().await;
        answers
    }

    async fn adopt_into(
        self: &Arc<Self>,
        def: &QueueDef,
        looked: &[Looked],
        messages: &[StoredMessage],
    ) -> Result<Vec<Adopted>> {
        let now = self.now();
        let mut ids = HashSet::new();
        let mut groups = HashSet::new();
        let mut answers = Vec::with_capacity(messages.len());
        let mut parts: std::collections::BTreeMap<(Stream, i64), Vec<MessageRow>> =
            std::collections::BTreeMap::new();
        for stored in messages {
            let id = stored.id().as_uuid();
            let shards = looked.iter().filter_map(Looked::shard);
            let is_here = shards
                .clone()
                .any(|shard| shard.index.entries.contains_key(&id));
            if is_here || !ids.insert(id) {
                answers.push(Adopted::Known);
                continue;
            }
            answers.push(Adopted::Stored);
            if let Some(message) = stored.message()
                && let Some(claim) = Claim::of_stored(def.queue, message)
                && message
                    .dedup
                    .as_ref()
                    .is_some_and(|dedup| message.enqueued_at.plus(dedup.window) > now)
            {
                let since = message.enqueued_at;
                let claimed = self.keys.claim(&claim, since, now, None).await?;
                // Where another message has the key this one is adopted all the same.
                if let Claimed::Ours { since_ms } = claimed {
                    self.keys.stored(&claim, since_ms).await?;
                }
            }
            let is_first = stored.group().is_none_or(|group| {
                let known = shards.clone().any(|shard| shard.index.has_group(group));
                !known && !groups.contains(group)
            });
            let state = self.state_of(stored, is_first, now);
            if let Some(group) = stored.group()
                && (state.heads || state.due() <= now)
            {
                groups.insert(group.clone());
            }
            let (stream, at, row) = row_of(def, stored, &state, now);
            let begin = at.as_millis() / stream_kind::width_ms(stream.kind)
                * stream_kind::width_ms(stream.kind);
            parts.entry((stream, begin)).or_default().push(row);
        }
        self.store(parts).await?;
        Ok(answers)
    }

    fn state_of(&self, stored: &StoredMessage, is_first: bool, now: Timestamp) -> Snapshot {
        let is_grouped = stored.group().is_some();
        let dead = stored.dead().map(|mark| Death {
            reason: mark.reason,
            error: mark.error.clone(),
            at: mark.dead_at,
            sequence: self.owner.hybrid.next(now),
            parks: mark.parks_group && is_grouped,
        });
        // A retried head backs off at the head of its group; so it does after a move.
        let backs_off = stored.attempts > 0 && stored.due_at > now && dead.is_none();
        Snapshot {
            attempts: stored.attempts,
            recorded_through: stored.recorded_through,
            due_ms: stored.due_at.as_millis(),
            at_ms: stored.due_at.max(now).as_millis(),
            sequence: self.owner.hybrid.next(now),
            heads: is_grouped && is_first && backs_off,
            aside_ms: None,
            never_expires: false,
            records: stored.history.records().to_vec(),
            checkpoint: stored.checkpoint.clone(),
            dead,
        }
    }
}

fn row_of(
    def: &QueueDef,
    stored: &StoredMessage,
    state: &Snapshot,
    now: Timestamp,
) -> (Stream, Timestamp, MessageRow) {
    let (head, body) = match &stored.content {
        Content::Intact(message) => (Bytes::from(wire::encode(message)), message.body.clone()),
        Content::Damaged { head, body, .. } => (head.clone(), body.clone()),
    };
    let group = stored.group().map(GroupName::as_str);
    let prio = stored.message().map_or(Lane::default(), |it| it.lane);
    let by = group
        .map_or(&stored.id().as_uuid().as_bytes()[..], str::as_bytes)
        .to_vec();
    let hash = xxhash_rust::xxh3::xxh3_64(&by);
    let shard = (hash % u64::from(def.shards.unsigned_abs().max(1))) as i32;
    let (kind, at) = stream_kind::home_of(state, prio, now);
    let pos = state.sequence;
    let id: Uuid = stored.id().as_uuid();
    let row = MessageRow {
        position: Position { pos, id },
        // It is no first enqueue: the window of its id does not bind it.
        revision: 1,
        lane: stream_kind::of(prio),
        group: group.map(str::to_owned),
        due_ms: state.due_ms,
        sequence: state.sequence,
        head,
        body,
        start: Bytes::from(state.to_bytes()),
    };
    let queue = def.queue;
    (Stream { queue, shard, kind }, at, row)
}
