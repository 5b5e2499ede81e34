//! Cancelling, rescheduling, purging.

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;

use longshore_core::validate::check_count;
use longshore_core::{Changed, MessageId, Purged, QueueName, Result};

use crate::layout::position::Position;
use crate::layout::row::id_bytes;
use crate::scripts;
use crate::store::RedisStore;

/// A message that keeps moving while it is looked for is given up after this many lookups.
const TRIES: u32 = 8;

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
        let mut outcomes = Vec::with_capacity(ids.len());
        // A change may move a row: an id that is named again is looked up again.
        let mut rest = ids;
        while !rest.is_empty() {
            let mut seen = HashSet::new();
            let wave = rest.iter().take_while(|id| seen.insert(**id)).count();
            for (id, outcome) in rest[..wave].iter().zip(
                self.change_once(operation, queue, &rest[..wave], what)
                    .await?,
            ) {
                outcomes.push(match outcome {
                    Some(outcome) => outcome,
                    None => self.change_moved(operation, queue, *id, what).await?,
                });
            }
            rest = &rest[wave..];
        }
        Ok(outcomes)
    }

    /// Changes a message that was no longer where it was found: a receive or the end of another
    /// member of its group moved it.
    async fn change_moved(
        &self,
        operation: &'static str,
        queue: &QueueName,
        id: MessageId,
        what: &str,
    ) -> Result<Changed> {
        for _ in 0..TRIES {
            let outcomes = self.change_once(operation, queue, &[id], what).await?;
            if let Some(Some(outcome)) = outcomes.into_iter().next() {
                return Ok(outcome);
            }
        }
        Ok(Changed::NotFoundWithinBound)
    }

    /// One lookup and one change; nothing for a message that moved in between.
    async fn change_once(
        &self,
        operation: &'static str,
        queue: &QueueName,
        ids: &[MessageId],
        what: &str,
    ) -> Result<Vec<Option<Changed>>> {
        let located = self.locate(queue, ids).await?;
        let missing = if located.complete {
            Changed::NotFound
        } else {
            Changed::NotFoundWithinBound
        };
        let mut outcomes = vec![Some(missing); ids.len()];
        let mut parts: BTreeMap<u16, Vec<(usize, &Position)>> = BTreeMap::new();
        for (index, id) in ids.iter().enumerate() {
            if let Some(place) = located.places.get(id) {
                parts
                    .entry(place.partition)
                    .or_default()
                    .push((index, place));
            }
        }
        for (partition, places) in parts {
            let mut call = self.call(operation, &scripts::CHANGE, queue, partition);
            call.arg(queue.as_str()).arg(what);
            for (index, place) in &places {
                call.arg(place.section.letter())
                    .arg(&place.key)
                    .arg(&id_bytes(ids[*index])[..]);
            }
            let marks = self.marks(&call, places.len()).await?;
            for ((index, _), mark) in places.into_iter().zip(marks) {
                outcomes[index] = match mark {
                    b'1' => Some(Changed::Applied),
                    b'l' => Some(Changed::Leased),
                    _ => None,
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
            let mut call = self.call("purge", &scripts::PURGE, queue, partition);
            call.arg(queue.as_str())
                .arg(u64::from(max).saturating_sub(purged.removed));
            let [removed, more] = self.session.run(&call).await?.fixed()?;
            purged.removed += removed.count()?;
            purged.more |= more.number()? == 1;
        }
        Ok(purged)
    }
}
