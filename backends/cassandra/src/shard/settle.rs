//! Ending and extending deliveries, by the owner.

use std::time::Duration;

use longshore_core::{Disposition, QueueSettings, Result, Settled, Timestamp};

use crate::protocol::disposition;
use crate::protocol::event::{Fact, Why};
use crate::protocol::receipt::Slip;
use crate::shard::Shard;
use crate::shard::entry::{Entry, Phase};
use crate::shard::write::event_batch::Changes;
use crate::shard::write::in_flight::Flight;

impl Shard {
    /// Ends deliveries, in memory. The outcomes may be answered once the flight has landed. One
    /// that goes on with other messages meanwhile is the same to those that are gone; anything
    /// else than an ack is written before the shard goes on, as later facts build on it.
    pub(crate) async fn begin_settle(
        &mut self,
        items: &[(Slip, &Disposition)],
        settings: &QueueSettings,
        now: Timestamp,
    ) -> Result<(Vec<Settled>, Option<Flight>)> {
        self.model.tick(now);
        let mut changes = Changes::default();
        let mut outcomes = Vec::with_capacity(items.len());
        for (slip, disposition) in items {
            outcomes.push(match self.take_holder(slip) {
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
            return Ok((outcomes, Some(self.depart(changes).await)));
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
        changes: &mut Changes,
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
        slips: &[Slip],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Settled>> {
        self.model.tick(now);
        let until = now.plus(lease);
        let mut changes = Changes::default();
        let mut outcomes = Vec::with_capacity(slips.len());
        for slip in slips {
            outcomes.push(match self.take_holder(slip) {
                Some(mut entry) => {
                    entry.phase = Phase::Leased(until);
                    changes.add(entry.address, entry.serial, &Fact::Extended { until });
                    self.model.put(entry, now);
                    Settled::Applied
                }
                None => Settled::LeaseLost,
            });
        }
        self.write(changes).await?;
        Ok(outcomes)
    }

    /// Whether the message of a slip lies behind what was read, or before: it came late. Only
    /// another process can have handed it out, before this one took over.
    pub(crate) fn is_unread(&self, slip: &Slip) -> bool {
        let stream = self.streams.get(&slip.bucket.stream.lane);
        let known = stream.and_then(|known| known.buckets.get(&slip.bucket.number));
        let is_outside = known.is_some_and(|known| {
            let is_behind = !known.at_end && slip.spot >= known.next;
            is_behind || slip.spot < known.begun
        });
        is_outside && !self.model.entries.contains_key(&slip.spot.id)
    }

    /// Takes the message whose current delivery a slip proves off the model. Time does not
    /// matter: a lease that ended is the current one until the message is delivered again.
    fn take_holder(&mut self, slip: &Slip) -> Option<Entry> {
        let entry = self.model.entries.get(&slip.spot.id)?;
        let holds = entry.is_leased()
            && entry.serial == slip.serial
            && entry.address == (slip.bucket, slip.spot);
        if holds {
            self.model.take(slip.spot.id)
        } else {
            None
        }
    }
}
