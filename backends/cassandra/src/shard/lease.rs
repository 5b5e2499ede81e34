//! Handing messages out.

use std::time::Duration;

use longshore_core::wire::DecodeError;
use longshore_core::{
    DeadReason, Delivery, Lane, OnExpired, QueueSettings, Received, Result, Timestamp,
};

use crate::protocol::event::{Fact, Why};
use crate::protocol::receipt::Slip;
use crate::protocol::snapshot::Death;
use crate::shard::Shard;
use crate::shard::entry::{Address, Entry, Phase};
use crate::shard::load::read;
use crate::shard::redelivery::Again;
use crate::shard::write::event_batch::Changes;
use crate::shard::write::in_flight::Flight;

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
    changes: Changes,
    /// First deliveries, with their attempts.
    rolled: Vec<(Address, u32)>,
    again: Vec<Again>,
    received: Received,
}

/// Messages that are leased in memory. They may be handed out once the flight has landed, and what
/// is delivered again was looked at then.
#[derive(Debug, Default)]
pub(crate) struct HandedOut {
    pub(crate) received: Received,
    pub(crate) flight: Option<Flight>,
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
                rolled,
                again,
                mut received,
            } = self.decide(order, now).await?;
            for (id, told_at) in changes.roll(rolled, now.plus(order.lease)) {
                if let Some(entry) = self.model.entries.get_mut(&id) {
                    entry.told_from = entry.told_from.min(told_at);
                }
            }
            set_aside += received.set_aside;
            if !received.deliveries.is_empty() || !self.has_more(now) {
                received.set_aside = set_aside;
                let mut flight = None;
                if !changes.is_empty() {
                    flight = Some(self.depart(changes).await);
                }
                return Ok(HandedOut {
                    received,
                    flight,
                    again,
                });
            }
            // What was ready has expired, and more lies behind.
            self.write(changes).await?;
        }
    }

    async fn decide(&mut self, order: &Order, now: Timestamp) -> Result<Decided> {
        self.model.tick(now);
        let mut decided = Decided::default();
        let mut left = order.of_lanes;
        while decided.received.deliveries.len() < order.max {
            // Asked anew each time: a message that dies here may admit one of a higher lane.
            let popped = if let Some(left) = &left {
                self.model.pop_ready_of(Lane::ALL, |lane| left[lane] > 0)
            } else {
                let order = Lane::order_at(self.model.turn);
                self.model.pop_ready_of(order, |_| true)
            };
            let Some(entry) = popped.and_then(|id| self.model.take(id)) else {
                break;
            };
            let (lane, before) = (entry.lane, decided.received.deliveries.len());
            self.decide_one(entry, order, now, &mut decided).await?;
            let went = decided.received.deliveries.len() - before;
            self.model.turn = self.model.turn.wrapping_add(went as u64);
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
                self.bury(entry, DeadReason::Damaged, why, now, &mut decided.changes);
                return Ok(());
            }
            Err(_newer) => {
                decided.received.set_aside += 1;
                entry.serial += 1;
                entry.phase = Phase::Ready;
                entry.state.heads = entry.group.is_some();
                entry.state.aside_ms = Some(now.plus(SET_ASIDE).as_millis());
                let became = Fact::Became(Box::new(entry.state.clone()));
                decided.changes.add(entry.address, entry.serial, &became);
                self.model.replace(entry, now);
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
            decided.rolled.push((entry.address, attempt));
        } else {
            let fact = Fact::Delivered { attempt, until };
            decided.changes.add(entry.address, entry.serial, &fact);
        }
        decided.again.extend(ended.map(|ended| Again {
            address: entry.address,
            serial: entry.serial,
            ended,
        }));
        let slip = slip_of(&entry, self.rows.cell());
        let mut delivery = Delivery::new(message, slip.receipt(), attempt, until);
        delivery.checkpoint.clone_from(&entry.state.checkpoint);
        delivery.recorded_through = entry.state.recorded_through;
        decided.received.deliveries.push(delivery);
        self.model.put(entry, now);
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
        let (bucket, spot) = entry.address;
        let facts = read::by_spot(&self.rows.facts_of(bucket, spot).await?);
        let (id, before) = (entry.id(), entry.phase);
        self.model.put(entry, now);
        let facts = facts.get(&spot).map_or(&[][..], Vec::as_slice);
        self.learn(id, facts, now, &mut decided.changes);
        let is_same = self.model.entries.get(&id).map(|entry| entry.phase) == Some(before);
        Ok(is_same.then(|| self.model.take(id)).flatten())
    }

    /// Moves an entry to the dead letters and admits its successor.
    fn bury(
        &mut self,
        mut entry: Entry,
        reason: DeadReason,
        error: Option<String>,
        now: Timestamp,
        changes: &mut Changes,
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
        changes: &mut Changes,
    ) {
        if settings.on_expired.unwrap_or_default() == OnExpired::Dead {
            let error = Some("it expired before it could be handed out".to_owned());
            return self.bury(entry, DeadReason::Expired, error, now, changes);
        }
        self.end(&entry, Why::Expired, settings, now, changes);
    }

    /// Ends an entry that was taken off the model: its id is recognised for a while if the
    /// caller gave it, and its group goes on.
    pub(crate) fn end(
        &mut self,
        entry: &Entry,
        why: Why,
        settings: &QueueSettings,
        now: Timestamp,
        changes: &mut Changes,
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
            self.model.admit(group);
        }
    }
}

/// The slip of an entry's current delivery.
pub(crate) fn slip_of(entry: &Entry, cell: i16) -> Slip {
    Slip {
        cell,
        bucket: entry.address.0,
        spot: entry.address.1,
        serial: entry.serial,
        attempt: entry.state.attempts,
    }
}
