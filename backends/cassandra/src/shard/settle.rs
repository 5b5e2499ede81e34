//! Ending and extending deliveries, by the owner.

use std::time::Duration;

use longshore_core::{Disposition, QueueSettings, Result, Settled, Timestamp};

use crate::protocol::disposition;
use crate::protocol::event::{Event, Why};
use crate::protocol::receipt::DeliveryTag;
use crate::shard::Shard;
use crate::shard::entry::{Entry, Phase};
use crate::shard::write::event_batch::EventBatch;
use crate::shard::write::in_flight::InFlightWrite;

impl Shard {
    /// Ends deliveries, in memory. The outcomes may be answered once the write has completed. One
    /// that goes on with other messages meanwhile is the same to those that are gone; anything
    /// else than an ack is written before the shard goes on, as later events build on it.
    pub(crate) async fn begin_settle(
        &mut self,
        items: &[(DeliveryTag, &Disposition)],
        settings: &QueueSettings,
        now: Timestamp,
    ) -> Result<(Vec<Settled>, Option<InFlightWrite>)> {
        self.index.tick(now);
        let mut changes = EventBatch::default();
        let mut outcomes = Vec::with_capacity(items.len());
        for (tag, disposition) in items {
            outcomes.push(match self.take_holder(tag) {
                Some(entry) => {
                    self.settle_one(entry, disposition, settings, now, &mut changes);
                    Settled::Applied
                }
                None => Settled::LeaseLost,
            });
        }
        if changes.is_empty() {
            return Ok((outcomes, None));
        }
        let only_acks = items.iter().all(|(_, it)| **it == Disposition::Ack);
        if only_acks {
            return Ok((outcomes, Some(self.begin_write(changes).await)));
        }
        self.write(changes).await?;
        Ok((outcomes, None))
    }

    fn settle_one(
        &mut self,
        mut entry: Entry,
        disposition: &Disposition,
        settings: &QueueSettings,
        now: Timestamp,
        changes: &mut EventBatch,
    ) {
        if *disposition == Disposition::Ack {
            return self.end(&entry, Why::Acked, settings, now, changes);
        }
        let is_grouped = entry.group.is_some();
        let sequence = self.hybrid.next(now);
        entry.state = disposition::after(&entry.state, is_grouped, disposition, now, sequence);
        entry.phase = Phase::Ready;
        self.became(entry, now, changes);
    }

    /// Makes leases last until now + `lease`.
    pub(crate) async fn extend(
        &mut self,
        tags: &[DeliveryTag],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Settled>> {
        self.index.tick(now);
        let until = now.plus(lease);
        let mut changes = EventBatch::default();
        let mut outcomes = Vec::with_capacity(tags.len());
        for tag in tags {
            outcomes.push(match self.take_holder(tag) {
                Some(mut entry) => {
                    entry.phase = Phase::Leased(until);
                    changes.add(entry.address, entry.serial, &Event::Extended { until });
                    self.index.put(entry, now);
                    Settled::Applied
                }
                None => Settled::LeaseLost,
            });
        }
        self.write(changes).await?;
        Ok(outcomes)
    }

    /// Whether the message of a delivery tag lies behind what was read, or before: it came late.
    /// Only another process can have handed it out, before this one took over.
    pub(crate) fn is_unread(&self, tag: &DeliveryTag) -> bool {
        let stream = self.streams.get(&tag.bucket.stream.kind);
        let known = stream.and_then(|known| known.buckets.get(&tag.bucket.number));
        let is_outside = known.is_some_and(|known| {
            let is_behind = !known.at_end && tag.position >= known.next;
            is_behind || tag.position < known.begun
        });
        is_outside && !self.index.entries.contains_key(&tag.position.id)
    }

    /// Takes the message whose current delivery a delivery tag proves off the index. Time does not
    /// matter: a lease that ended is the current one until the message is delivered again.
    fn take_holder(&mut self, tag: &DeliveryTag) -> Option<Entry> {
        let entry = self.index.entries.get(&tag.position.id)?;
        let holds = entry.is_leased()
            && entry.serial == tag.serial
            && entry.address == (tag.bucket, tag.position);
        if holds {
            self.index.take(tag.position.id)
        } else {
            None
        }
    }
}
