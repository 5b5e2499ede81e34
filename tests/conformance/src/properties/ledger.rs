//! What must hold of any store, kept from its answers alone.

use std::collections::{BTreeMap, BTreeSet};

use longshore_core::wire::{decode, encode};
use longshore_core::{Delivery, Lane, Message, MessageId, MessageState, StoredMessage, Timestamp};

use super::seen::Seen;

/// What is known of the messages of one queue.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Stored and not ended: how often each was delivered without being given back.
    there: BTreeMap<MessageId, u32>,
    /// Messages with a plain life, in enqueue order: never delayed, moved or dead.
    plain: Vec<MessageId>,
    /// Messages whose first due time does not count any more.
    rescheduled: BTreeSet<MessageId>,
    /// What must not be handed out now.
    pub(super) held: bool,
    /// Whether what expired may vanish.
    pub(super) discards: bool,
}

impl Ledger {
    pub(super) fn stored(&mut self, id: MessageId, is_plain: bool) {
        assert_eq!(self.there.insert(id, 0), None, "{id} is stored twice");
        self.moved(id);
        self.rescheduled.remove(&id);
        if is_plain {
            self.plain.push(id);
        }
    }

    pub(super) fn ended(&mut self, id: MessageId) {
        assert!(self.there.remove(&id).is_some(), "{id} ended twice");
    }

    pub(super) fn released(&mut self, id: MessageId) {
        let attempts = self.there.get_mut(&id).expect("it is there");
        *attempts -= 1;
    }

    pub(super) fn rescheduled(&mut self, id: MessageId) {
        self.moved(id);
        self.rescheduled.insert(id);
    }

    /// It may have another place than the one it was enqueued at.
    pub(super) fn moved(&mut self, id: MessageId) {
        self.plain.retain(|known| *known != id);
    }

    pub(super) fn redriven(&mut self, id: MessageId) {
        self.moved(id);
        let attempts = self.there.get_mut(&id).expect("it is there");
        *attempts = 0;
    }

    /// All that one look handed out, in order.
    pub(super) fn delivered(&mut self, deliveries: &[Delivery], now: Timestamp) {
        assert!(!self.held || deliveries.is_empty(), "handed out while held");
        for one in deliveries {
            let message = &one.message;
            let attempts = self.there.get_mut(&message.id).expect("it is there");
            *attempts += 1;
            assert_eq!(one.attempt, *attempts, "attempt of {}", message.id);
            let is_due = message.due_at <= now || self.rescheduled.contains(&message.id);
            assert!(is_due, "{} is not due", message.id);
            assert!(
                message.expires_at.is_none_or(|expires| expires > now),
                "{} is expired",
                message.id
            );
            survives_the_wire(message);
        }
        for lane in Lane::ALL {
            self.check_order(lane, deliveries);
        }
    }

    /// What one call chose of all that it could have handed out.
    pub(super) fn chosen(&self, got: &[Delivery], all: &[Delivery]) {
        for lane in Lane::ALL {
            let mut all = self.places(lane, all);
            all.sort_unstable();
            let got = self.places(lane, got);
            assert!(all.starts_with(&got), "{lane:?}: {got:?} of {all:?}");
        }
    }

    /// Plain first deliveries of a lane come in enqueue order.
    fn check_order(&self, lane: Lane, deliveries: &[Delivery]) {
        let places = self.places(lane, deliveries);
        assert!(places.is_sorted(), "{lane:?} out of order: {places:?}");
    }

    /// The places of the plain first deliveries of a lane.
    fn places(&self, lane: Lane, deliveries: &[Delivery]) -> Vec<usize> {
        let first = deliveries.iter().filter(|one| {
            one.attempt == 1 && one.message.lane == lane && one.message.group.is_none()
        });
        let places = first.filter_map(|one| {
            let is_it = |id: &MessageId| *id == one.message.id;
            self.plain.iter().position(is_it)
        });
        places.collect()
    }

    /// What operators see adds up with what the answers said.
    pub(super) fn check(&mut self, seen: &Seen, now: Timestamp) {
        self.let_expired_go(seen);
        let listed: BTreeSet<_> = seen.live.keys().chain(seen.dead.keys()).copied().collect();
        let known: BTreeSet<_> = self.there.keys().copied().collect();
        assert_eq!(listed, known, "what is listed and what is there");
        assert!(seen.live.keys().all(|id| !seen.dead.contains_key(id)));
        for (id, one) in seen.live.iter().chain(&seen.dead) {
            assert_eq!(one.attempts, self.there[id], "attempts of {id}");
            assert!(one.recorded_through <= one.attempts, "records of {id}");
        }
        one_of_a_group(seen.live.values());
        check_stats(seen, now);
    }

    /// Messages that the queue discarded because they expired are gone.
    fn let_expired_go(&mut self, seen: &Seen) {
        if self.discards {
            self.there
                .retain(|id, _| seen.live.contains_key(id) || seen.dead.contains_key(id));
        }
    }
}

/// A message that a store handed out is one that a store can write.
fn survives_the_wire(message: &Message) {
    let read = decode(&encode(message), message.body.clone());
    assert_eq!(read.as_ref(), Ok(message));
}

/// At most one member of a group is in a worker's hands.
fn one_of_a_group<'a>(live: impl Iterator<Item = &'a StoredMessage>) {
    let mut leased = BTreeSet::new();
    for one in live {
        if let (Some(group), MessageState::Leased { .. }) = (one.group(), &one.state) {
            assert!(leased.insert(group.clone()), "two of {group} are leased");
        }
    }
}

/// The numbers are those of the lists.
fn check_stats(seen: &Seen, now: Timestamp) {
    let Some(stats) = &seen.stats else {
        assert!(seen.live.is_empty() && seen.dead.is_empty());
        return;
    };
    let of = |word: &str| {
        let all = seen.live.values();
        all.filter(|one| one.state.as_str() == word).count() as u64
    };
    let counted = [of("waiting"), of("delayed"), of("leased")];
    assert_eq!([stats.waiting, stats.delayed, stats.leased], counted);
    assert_eq!(stats.dead, seen.dead.len() as u64);
    for one in seen.live.values() {
        let is_delayed = one.state == MessageState::Delayed;
        assert_eq!(is_delayed, one.due_at > now && !is_leased(one), "{one:?}");
    }
}

fn is_leased(stored: &StoredMessage) -> bool {
    matches!(stored.state, MessageState::Leased { .. })
}
