//! What operators change of the messages of a queue, shard by shard.

use std::sync::Arc;

use longshore_core::{
    Changed, Due, Message, MessageId, Purged, QueueName, Result, StoreError, Timestamp,
};

use crate::cql::dedup_keys::Claim;
use crate::cql::queue_def::QueueDef;
use crate::shard::Shard;
use crate::shard::operate::Removed;
use crate::store::Inner;

/// A change of single messages.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Cancel,
    Discard,
    Redrive,
    Reschedule(Due),
}

impl Inner {
    /// Changes single messages of a queue that may not exist: in the shard that has each.
    pub(crate) async fn change_each(
        self: &Arc<Self>,
        call: &'static str,
        name: &QueueName,
        ids: &[MessageId],
        change: Change,
    ) -> Result<Vec<Changed>> {
        let Some(def) = self.catalog.get(name).await? else {
            return Ok(vec![Changed::NotFound; ids.len()]);
        };
        let changed = self.change_all(call, name, &def, ids, change).await;
        self.leave().await;
        changed
    }

    /// The same of one that exists, shard by shard.
    async fn change_all(
        self: &Arc<Self>,
        call: &'static str,
        name: &QueueName,
        def: &QueueDef,
        ids: &[MessageId],
        change: Change,
    ) -> Result<Vec<Changed>> {
        let mut answers = vec![Changed::NotFound; ids.len()];
        let mut gone = Vec::new();
        let mut looked = self.own_all(call, def).await?;
        let wanted: Vec<_> = ids.iter().map(|id| id.as_uuid()).collect();
        let mut is_whole = true;
        for shard in looked.iter_mut().filter_map(|one| one.shard_mut()) {
            let now = self.now();
            let others = answers.contains(&Changed::Applied);
            is_whole &= shard.reach(&wanted, now).await.map_err(after(others))?;
            let removed = self.change_in(shard, ids, change, now).await;
            // What was changed in memory before it failed is not in the rows.
            shard.is_stale |= removed.is_err();
            let removed = removed.map_err(after(others))?;
            gone.extend(removed.messages);
            for (answer, changed) in answers.iter_mut().zip(removed.answers) {
                if changed != Changed::NotFound {
                    *answer = changed;
                }
            }
        }
        drop(looked);
        if !is_whole {
            for answer in &mut answers {
                if *answer == Changed::NotFound {
                    *answer = Changed::NotFoundWithinBound;
                }
            }
        }
        self.forget(name, def, &gone).await?;
        Ok(answers)
    }

    /// In one shard.
    async fn change_in(
        &self,
        shard: &mut Shard,
        ids: &[MessageId],
        change: Change,
        now: Timestamp,
    ) -> Result<Removed> {
        let producer = &self.producer;
        let answers = match change {
            Change::Cancel => return shard.cancel(ids, now).await,
            Change::Discard => return shard.discard(ids, now).await,
            Change::Redrive => shard.redrive(ids, producer, now).await?,
            Change::Reschedule(due) => shard.reschedule(ids, due, producer, now).await?,
        };
        Ok(Removed {
            answers,
            messages: Vec::new(),
        })
    }

    /// Forgets ids and keys of messages that were removed.
    async fn forget(&self, name: &QueueName, def: &QueueDef, gone: &[Message]) -> Result<()> {
        self.recent
            .forget(name, gone.iter().map(|message| message.id));
        for message in gone {
            if let Some(claim) = Claim::of_stored(def.queue, message) {
                let forgotten = self.keys.forget(&claim).await;
                forgotten.map_err(StoreError::effect_unknown)?;
            }
        }
        Ok(())
    }

    pub(crate) async fn purge(self: &Arc<Self>, name: &QueueName, max: usize) -> Result<Purged> {
        let Some(def) = self.catalog.get(name).await? else {
            return Ok(Purged {
                removed: 0,
                more: false,
            });
        };
        let purged = self.purge_all(name, &def, max).await;
        self.leave().await;
        purged
    }

    async fn purge_all(
        self: &Arc<Self>,
        name: &QueueName,
        def: &QueueDef,
        max: usize,
    ) -> Result<Purged> {
        let mut all = Purged {
            removed: 0,
            more: false,
        };
        let mut gone = Vec::new();
        let mut looked = self.own_all("purge", def).await?;
        for shard in looked.iter_mut().filter_map(|one| one.shard_mut()) {
            let left = max.saturating_sub(all.removed as usize);
            let purged = shard.purge(left, self.now()).await;
            shard.is_stale |= purged.is_err();
            let (purged, removed) = purged.map_err(after(all.removed > 0))?;
            all.removed += purged.removed;
            all.more |= purged.more;
            gone.extend(removed.messages);
        }
        drop(looked);
        self.forget(name, def, &gone).await?;
        Ok(all)
    }
}

/// A failure behind shards in which something was changed.
fn after(others: bool) -> impl Fn(StoreError) -> StoreError {
    move |error| {
        if others {
            error.effect_unknown()
        } else {
            error
        }
    }
}
