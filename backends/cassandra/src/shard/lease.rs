//! Handing messages out.

use std::time::Duration;

use longshore_core::wire::DecodeError;
use longshore_core::{
    DeadReason, Delivery, Lane, OnExpired, QueueSettings, Received, Result, Timestamp,
};

use crate::protocol::event::{Event, Why};
use crate::protocol::receipt::DeliveryTag;
use crate::protocol::snapshot::Death;
use crate::shard::Shard;
use crate::shard::entry::{Address, Entry, Phase};
use crate::shard::load::read;
use crate::shard::redelivery::Again;
use crate::shard::write::event_batch::EventBatch;
use crate::shard::write::in_flight::InFlightWrite;

/// How long a row of a newer version is put back.
const SET_ASIDE: Duration = Duration::from_secs(60);

/// What a receive asks of one shard.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// At most this many.
    pub(crate) max: usize,
    /// For how long.
    pub(crate) lease: Duration,
    /// How many of each lane, high to low; `None` leaves that to the turns of the shard.
    pub(crate) of_lanes: Option<[usize; 3]>,
    /// The settings of the queue.
    pub(crate) settings: QueueSettings,
}

/// What was decided, before it is written.
#[derive(Default)]
struct Decided {
    changes: EventBatch,
    /// First deliveries, with their attempts.
    first_deliveries: Vec<(Address, u32)>,
    again: Vec<Again>,
    received: Received,
}

/// Messages that are leased in memory. They may be handed out once the write has completed, and
/// what is delivered again was looked at then.
#[derive(Debug, Default)]
pub(crate) struct HandedOut {
    pub(crate) received: Received,
    pub(crate) write: Option<InFlightWrite>,
    pub(crate) again: Vec<Again>,
}

impl Shard {
    /// Leases messages that are ready, in memory.
    pub(crate) async fn begin_hand_out(
        &mut self,
        order: &Order,
        now: Timestamp,
    ) -> Result<HandedOut> {
        let begun = self.try_hand_out(order, now).await;
        self.is_stale |= begun.is_err();
        begun
    }

    async fn try_hand_out(&mut self, order: &Order, now: Timestamp) -> Result<HandedOut> {
        let mut set_aside = 0;
        loop {
            self.fill_for(order.max, now).await?;
            let Decided {
                mut changes,
                first_deliveries,
                again,
                mut received,
            } = self.decide(order, now).await?;
            for (id, event_position) in
                changes.batch_delivered(first_deliveries, now.plus(order.lease))
            {
                if let Some(entry) = self.index.entries.get_mut(&id) {
                    entry.events_from = entry.events_from.min(event_position);
                }
            }
            set_aside += received.set_aside;
            if !received.deliveries.is_empty() || !self.has_more(now) {
                received.set_aside = set_aside;
                let mut write = None;
                if !changes.is_empty() {
                    write = Some(self.begin_write(changes).await);
                }
                return Ok(HandedOut {
                    received,
                    write,
                    again,
                });
            }
            // What was ready has expired, and more lies behind.
            self.write(changes).await?;
        }
    }

    async fn decide(&mut self, order: &Order, now: Timestamp) -> Result<Decided> {
        self.index.tick(now);
        let mut decided = Decided::default();
        let mut left = order.of_lanes;
        while decided.received.deliveries.len() < order.max {
            // Asked again each time: a message that dies here may admit one of a higher lane.
            let popped = if let Some(left) = &left {
                self.index.pop_ready_of(Lane::ALL, |lane| left[lane] > 0)
            } else {
                let order = Lane::order_at(self.index.turn);
                self.index.pop_ready_of(order, |_| true)
            };
            let Some(entry) = popped.and_then(|id| self.index.take(id)) else {
                break;
            };
            let (lane, before) = (entry.lane, decided.received.deliveries.len());
            self.decide_one(entry, order, now, &mut decided).await?;
            let went = decided.received.deliveries.len() - before;
            self.index.turn = self.index.turn.wrapping_add(went as u64);
            if let Some(left) = &mut left {
                left[usize::from(lane.number())] -= went;
            }
        }
        Ok(decided)
    }

    async fn decide_one(
        &mut self,
        mut entry: Entry,
        order: &Order,
        now: Timestamp,
        decided: &mut Decided,
    ) -> Result<()> {
        let ended = match entry.phase {
            Phase::Leased(until) => Some(until),
            _ => None,
        };
        if ended.is_some() {
            let Some(still) = self.still_ended(entry, now, decided).await? else {
                return Ok(());
            };
            entry = still;
        }
        let Some(raw) = self.raw_of(&entry).await? else {
            // Its bucket was deleted, so this row was never acknowledged. A copy of it may have
            // been: all is read again.
            self.is_stale = true;
            return Ok(());
        };
        let message = match entry.message(&raw) {
            Ok(message) => message,
            Err(DecodeError::Damaged(why)) => {
                decided.received.set_aside += 1;
                let why = Some(why.to_owned());
                self.dead_letter(entry, DeadReason::Damaged, why, now, &mut decided.changes);
                return Ok(());
            }
            Err(_newer) => {
                decided.received.set_aside += 1;
                entry.serial += 1;
                entry.phase = Phase::Ready;
                entry.state.heads = entry.group.is_some();
                entry.state.aside_ms = Some(now.plus(SET_ASIDE).as_millis());
                let became = Event::Became(Box::new(entry.state.clone()));
                decided.changes.add(entry.address, entry.serial, &became);
                self.index.replace(entry, now);
                return Ok(());
            }
        };
        if message.expires_at.is_some_and(|expires| expires <= now) {
            self.expire(entry, &order.settings, now, &mut decided.changes);
            return Ok(());
        }
        let until = now.plus(order.lease);
        entry.serial += 1;
        entry.state.attempts += 1;
        entry.state.heads = entry.group.is_some();
        entry.phase = Phase::Leased(until);
        self.drop_raw(&mut entry);
        let attempt = entry.state.attempts;
        if entry.serial == 1 {
            decided.first_deliveries.push((entry.address, attempt));
        } else {
            let event = Event::Delivered { attempt, until };
            decided.changes.add(entry.address, entry.serial, &event);
        }
        decided.again.extend(ended.map(|ended| Again {
            address: entry.address,
            serial: entry.serial,
            ended,
        }));
        let tag = tag_of(&entry, self.storage.cell());
        let mut delivery = Delivery::new(message, tag.receipt(), attempt, until);
        delivery.checkpoint.clone_from(&entry.state.checkpoint);
        delivery.recorded_through = entry.state.recorded_through;
        decided.received.deliveries.push(delivery);
        self.index.put(entry, now);
        Ok(())
    }

    /// An entry whose lease has ended, unless its end was written by a process that is not the
    /// owner, or more time.
    async fn still_ended(
        &mut self,
        entry: Entry,
        now: Timestamp,
        decided: &mut Decided,
    ) -> Result<Option<Entry>> {
        let (bucket, position) = entry.address;
        let events = read::by_position(&self.storage.events_of(bucket, position).await?);
        let (id, before) = (entry.id(), entry.phase);
        self.index.put(entry, now);
        let events = events.get(&position).map_or(&[][..], Vec::as_slice);
        self.apply_events(id, events, now, &mut decided.changes);
        let is_same = self.index.entries.get(&id).map(|entry| entry.phase) == Some(before);
        Ok(is_same.then(|| self.index.take(id)).flatten())
    }

    /// Moves an entry to the dead letters and admits its successor.
    fn dead_letter(
        &mut self,
        mut entry: Entry,
        reason: DeadReason,
        error: Option<String>,
        now: Timestamp,
        changes: &mut EventBatch,
    ) {
        entry.serial += 1;
        entry.phase = Phase::Ready;
        entry.state.heads = false;
        entry.state.dead = Some(Death {
            reason,
            error,
            at: now,
            sequence: self.hybrid.next(now),
            parks: false,
        });
        self.drop_raw(&mut entry);
        self.became(entry, now, changes);
    }

    fn expire(
        &mut self,
        entry: Entry,
        settings: &QueueSettings,
        now: Timestamp,
        changes: &mut EventBatch,
    ) {
        if settings.on_expired.unwrap_or_default() == OnExpired::Dead {
            let error = Some("it expired before it could be handed out".to_owned());
            return self.dead_letter(entry, DeadReason::Expired, error, now, changes);
        }
        self.end(&entry, Why::Expired, settings, now, changes);
    }

    /// Ends an entry that was taken off the index: its id is recognised for a while if the
    /// caller gave it, and its group goes on.
    pub(crate) fn end(
        &mut self,
        entry: &Entry,
        why: Why,
        settings: &QueueSettings,
        now: Timestamp,
        changes: &mut EventBatch,
    ) {
        let is_known = entry.is_given && why != Why::Removed;
        let known_until = if is_known {
            now.plus(settings.id_window())
        } else {
            Timestamp::EPOCH
        };
        changes.done(entry, why, known_until);
        self.finished(entry, known_until, now);
        self.close_entry(entry);
        if let Some(group) = &entry.group {
            self.index.admit(group);
        }
    }
}

/// The delivery tag of an entry's current delivery.
pub(crate) fn tag_of(entry: &Entry, cell: i16) -> DeliveryTag {
    DeliveryTag {
        cell,
        bucket: entry.address.0,
        position: entry.address.1,
        serial: entry.serial,
        attempt: entry.state.attempts,
    }
}
