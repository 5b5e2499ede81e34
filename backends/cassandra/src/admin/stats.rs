//! The numbers of a queue: counted where all is in memory, estimated beyond.

use std::sync::Arc;

use futures_util::future::try_join_all;
use longshore_core::{QueueName, QueueStats, Result, Timestamp};

use crate::shard::Shard;
use crate::shard::buckets::depth::Pages;
use crate::shard::entry::Phase;
use crate::shard_access::Looked;
use crate::store::Inner;

impl Inner {
    /// The numbers; `None` if the queue does not exist.
    pub(crate) async fn stats(self: &Arc<Self>, name: &QueueName) -> Result<Option<QueueStats>> {
        let Some(def) = self.catalog.get(name).await? else {
            return Ok(None);
        };
        let mut stats = QueueStats::default();
        stats.exact = true;
        let mut looked = self.look_at_all(&def).await?;
        for shard in looked.iter().filter_map(Looked::shard) {
            count(shard, &mut stats, self.now());
            stats.exact &= shard.is_whole();
        }
        let now = self.now();
        let counts = looked.iter_mut().map(|it| it.estimate(Pages::LOOK, now));
        for estimate in try_join_all(counts).await? {
            stats.waiting += estimate.waiting;
            stats.delayed += estimate.delayed;
            stats.dead += estimate.dead;
            stats.counted_at = [stats.counted_at, estimate.at].into_iter().flatten().min();
        }
        stats.paused.clone_from(&def.pause);
        stats.moving.clone_from(&def.moving);
        stats.settings = def.settings.clone();
        let exists = !def.is_deleted || stats.live() + stats.dead > 0;
        Ok(exists.then_some(stats))
    }
}

fn count(shard: &Shard, stats: &mut QueueStats, now: Timestamp) {
    for entry in shard.index.entries.values() {
        match entry.phase {
            Phase::Leased(until) if until > now => stats.leased += 1,
            Phase::Ready | Phase::Leased(_) => {
                stats.waiting += 1;
                let age = now.since(entry.state.due());
                stats.oldest_age = stats.oldest_age.max(Some(age));
            }
            Phase::Estimate => stats.waiting += 1,
            Phase::SetAside(_) => {
                stats.waiting += 1;
                stats.set_aside += 1;
            }
            Phase::Delayed => stats.delayed += 1,
            Phase::Dead => {
                stats.dead += 1;
                let parks = entry.state.dead.as_ref().is_some_and(|death| death.parks);
                stats.parked += u64::from(parks);
            }
        }
    }
}
