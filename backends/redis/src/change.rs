//! Cancelling, rescheduling, purging.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use longshore_core::validate::check_count;
use longshore_core::{Changed, MessageId, Purged, QueueName, Result};

use crate::place::Place;
use crate::row::id_bytes;
use crate::script;
use crate::store::RedisStore;

impl RedisStore {
    /// Does `what` (`cancel`, or a due time) to messages that are not leased.
    pub(crate) async fn change(
        &self,
        operation: &'static str,
        queue: &QueueName,
        ids: &[MessageId],
        what: &str,
    ) -> Result<Vec<Changed>> {
        check_count(operation, ids.len(), &self.limits)?;
        let located = self.locate(queue, ids).await?;
        let missing = if located.complete {
            Changed::NotFound
        } else {
            Changed::NotFoundWithinBound
        };
        let mut outcomes = vec![missing; ids.len()];
        let mut parts: BTreeMap<u16, Vec<(usize, &Place)>> = BTreeMap::new();
        for (index, id) in ids.iter().enumerate() {
            if let Some(place) = located.places.get(id) {
                parts
                    .entry(place.partition)
                    .or_default()
                    .push((index, place));
            }
        }
        for (partition, places) in parts {
            let mut call = self.call(operation, &script::CHANGE, queue, partition);
            call.arg(queue.as_str()).arg(what);
            for (index, place) in &places {
                call.arg(place.section.letter())
                    .arg(&place.key)
                    .arg(&id_bytes(ids[*index])[..]);
            }
            let marks = self.marks(&call, places.len()).await?;
            for ((index, _), mark) in places.into_iter().zip(marks) {
                outcomes[index] = match mark {
                    b'1' => Changed::Applied,
                    b'l' => Changed::Leased,
                    _ => Changed::NotFound,
                };
            }
        }
        Ok(outcomes)
    }

    pub(crate) async fn purge_some(
        &self,
        queue: &QueueName,
        batch_max: NonZeroU32,
    ) -> Result<Purged> {
        let max = batch_max.min(self.limits.batch_max).get();
        let mut purged = Purged {
            removed: 0,
            more: false,
        };
        for partition in 0..self.partitions {
            let mut call = self.call("purge", &script::PURGE, queue, partition);
            call.arg(queue.as_str())
                .arg(u64::from(max).saturating_sub(purged.removed));
            let [removed, more] = self.link.run(&call).await?.fixed()?;
            purged.removed += removed.count()?;
            purged.more |= more.number()? == 1;
        }
        Ok(purged)
    }
}
