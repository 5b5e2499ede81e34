//! Which messages of a batch may be stored: repeats are found out, and dedup keys claimed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use longshore_core::{
    Enqueued, Found, IdOrigin, MessageId, NewMessage, QueueName, Result, Timestamp,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::cql::dedup_keys::{Claim, Claimed, scope};
use crate::store::Inner;

/// Messages whose key another message has, by their place in the batch.
pub(crate) type Refused = HashMap<usize, MessageId>;

/// A key that was claimed, and since when it is ours.
pub(crate) type Held = (Claim, i64);

/// Keys that were claimed longer ago are looked at again before their messages are stored: half of
/// what others wait before they take them.
const CLAIM_FRESH: Duration = Duration::from_secs(1);

impl Inner {
    /// What this call and this process know already. Those refused are not stored: others had
    /// their keys before.
    pub(crate) fn judge(
        &self,
        name: &QueueName,
        batch: &[NewMessage],
        refused: &Refused,
    ) -> Vec<Enqueued> {
        let mut ids = HashSet::new();
        let mut keys = HashMap::new();
        let judged = batch.iter().enumerate().map(|(index, new)| {
            let is_fresh = new.id_origin == IdOrigin::Fresh;
            if ids.contains(&new.id) || (is_fresh && self.recent.knows(name, new.id)) {
                return Enqueued::Duplicate { first: new.id };
            }
            let key = new.dedup.as_ref().map(|it| scope(new.group.as_ref(), it));
            let taken = key.as_ref().and_then(|key| keys.get(key).copied());
            if let Some(first) = refused.get(&index).copied().or(taken) {
                return Enqueued::Duplicate { first };
            }
            ids.insert(new.id);
            if let Some(key) = key {
                keys.insert(key, new.id);
            }
            Enqueued::Stored
        });
        judged.collect()
    }

    /// Judges a batch, claiming the dedup keys of what may be stored. A message that is refused
    /// may make room for a later one of the same id: so they are judged until none is refused any
    /// more.
    pub(crate) async fn claim(
        self: &Arc<Self>,
        name: &QueueName,
        queue: Uuid,
        batch: &[NewMessage],
        now: Timestamp,
    ) -> Result<(Vec<Enqueued>, Vec<Held>)> {
        let mut refused = Refused::new();
        let mut ours: BTreeMap<usize, Held> = BTreeMap::new();
        let mut began = Instant::now();
        loop {
            let outcomes = self.judge(name, batch, &refused);
            let stored = |index: &usize| outcomes[*index] == Enqueued::Stored;
            let open = (0..batch.len()).filter(stored);
            let open = open.filter(|index| !ours.contains_key(index));
            let open: Vec<_> = open
                .filter_map(|index| Some((index, Claim::of_new(queue, &batch[index])?)))
                .collect();
            if !open.is_empty() {
                let tried = open
                    .iter()
                    .map(|(_, claim)| self.claim_key(name, claim, now));
                let claimed = try_join_all(tried).await?;
                for ((index, claim), claimed) in open.into_iter().zip(claimed) {
                    match claimed {
                        Ok(since_ms) => drop(ours.insert(index, (claim, since_ms))),
                        Err(first) => drop(refused.insert(index, first)),
                    }
                }
                continue;
            }
            // Others may have taken the keys of one who was slow for those of a dead one.
            if ours.is_empty() || began.elapsed() < CLAIM_FRESH {
                return Ok((outcomes, ours.into_values().collect()));
            }
            began = Instant::now();
            let checked = ours.values().map(|(claim, _)| self.keys.check(claim));
            let checked = try_join_all(checked).await?;
            let indexes: Vec<_> = ours.keys().copied().collect();
            for (index, other) in indexes.into_iter().zip(checked) {
                if let Some(first) = other {
                    ours.remove(&index);
                    refused.insert(index, MessageId::from_uuid(first));
                }
            }
        }
    }

    /// Claims one key. Answers since when it is ours, or which stored message has it.
    async fn claim_key(
        self: &Arc<Self>,
        name: &QueueName,
        claim: &Claim,
        now: Timestamp,
    ) -> Result<Result<i64, MessageId>> {
        let mut gone = None;
        loop {
            match self.keys.claim(claim, now, now, gone).await? {
                Claimed::Ours { since_ms } => return Ok(Ok(since_ms)),
                Claimed::Taken { first } => return Ok(Err(MessageId::from_uuid(first))),
                Claimed::Silent { first, since_ms } => {
                    // The process that stored it may have been killed before it could say so.
                    let id = MessageId::from_uuid(first);
                    if let Ok(Found::Message(_)) = self.find(name, id).await {
                        self.keys.stored_as(claim, first, since_ms).await?;
                        return Ok(Err(id));
                    }
                    gone = Some(first);
                }
            }
        }
    }
}
