//! Handing messages out.

use longshore_core::wire::{DecodeError, decode};
use longshore_core::{
    Content, DeadMark, DeadReason, Delivery, Lane, Message, MessageId, OnExpired, Receive,
    Received, Timestamp,
};
use std::time::Duration;

use crate::receipt::receipt;
use crate::schema::{Numbers, Place, Queue, State};

/// How long a row of a newer version is put back.
const SET_ASIDE: Duration = Duration::from_secs(60);

/// What handing out one message came to.
enum Handed {
    Out(Box<Delivery>),
    /// It expired and is gone from the queue.
    Expired,
    /// It could not be read and was set aside.
    Unreadable,
}

impl Queue {
    /// Leases what is ready. The numbers are the fences of the receipts, and the order of what
    /// dies on the way.
    pub(crate) fn receive(
        &mut self,
        request: &Receive,
        now: Timestamp,
        numbers: &mut Numbers,
    ) -> Received {
        let mut received = Received::default();
        if self.is_held() {
            return received;
        }
        let until = now.plus(request.lease);
        let first = self.turn;
        while received.deliveries.len() < request.batch_max.get() as usize {
            // Asked again each time: a message that dies here may admit one of a higher lane.
            let Some(place) = self.pop_ready() else {
                break;
            };
            match self.hand_out(place, until, now, numbers.next()) {
                Handed::Out(delivery) => {
                    self.turn += 1;
                    received.deliveries.push(*delivery);
                }
                Handed::Expired => {}
                Handed::Unreadable => received.set_aside += 1,
            }
        }
        // Lane by lane, in the order of the first turn.
        let order = Lane::order_at(first);
        let rank = |one: &Delivery| order.iter().position(|lane| *lane == one.message.lane);
        received.deliveries.sort_by_key(rank);
        received
    }

    fn pop_ready(&mut self) -> Option<Place> {
        Lane::order_at(self.turn)
            .into_iter()
            .find_map(|lane| self.ready[usize::from(lane.number())].pop_first())
    }

    fn hand_out(&mut self, place: Place, until: Timestamp, now: Timestamp, number: u64) -> Handed {
        let message = match self.read(place.id) {
            Ok(message) => message,
            Err(DecodeError::Damaged(why)) => {
                let mark = DeadMark::new(DeadReason::Damaged, Some(why.to_owned()), now, false);
                self.dead_letter(place.id, mark, number);
                return Handed::Unreadable;
            }
            Err(_newer) => {
                self.put_off(place.id, now.plus(SET_ASIDE), State::SetAside);
                return Handed::Unreadable;
            }
        };
        if message.expires_at.is_some_and(|expires| expires <= now) {
            self.expire(place.id, now, number);
            return Handed::Expired;
        }
        match self.lease(place.id, message, until, number) {
            Some(delivery) => Handed::Out(Box::new(delivery)),
            None => Handed::Expired,
        }
    }

    fn read(&mut self, id: MessageId) -> Result<Message, DecodeError> {
        let Some(row) = self.live.get_mut(&id) else {
            return Err(DecodeError::Damaged("there is no such row"));
        };
        let message = match &row.content {
            Content::Intact(message) => return Ok(message.clone()),
            Content::Damaged { head, body, .. } => decode(head, body.clone())?,
        };
        row.content = Content::Intact(message.clone());
        Ok(message)
    }

    fn expire(&mut self, id: MessageId, now: Timestamp, number: u64) {
        if self.settings.on_expired.unwrap_or_default() == OnExpired::Dead {
            let error = "it expired before it could be handed out".to_owned();
            let mark = DeadMark::new(DeadReason::Expired, Some(error), now, false);
            return self.dead_letter(id, mark, number);
        }
        if let Some(row) = self.take_out(id) {
            self.remember_id(&row, now);
            if let Some(group) = &row.group {
                self.admit(group);
            }
        }
    }

    fn lease(
        &mut self,
        id: MessageId,
        message: Message,
        until: Timestamp,
        delivery: u64,
    ) -> Option<Delivery> {
        let row = self.live.get_mut(&id)?;
        row.attempts += 1;
        row.state = State::Leased { until, delivery };
        self.lease_ends.insert((until, row.place));
        let mut handed = Delivery::new(message, receipt(id, delivery), row.attempts, until);
        handed.checkpoint.clone_from(&row.checkpoint);
        handed.recorded_through = row.recorded_through;
        Some(handed)
    }
}
