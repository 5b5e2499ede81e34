//! A store and the model beside it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use longshore_core::{
    Backend, Clock, Cursor, Dedup, DedupKey, Delivery, Disposition, Due, FreshIdRepeat,
    GivenIdRepeat, GroupName, IdOrigin, JobKind, LeaseUnit, ManualClock, MessageId, MessageState,
    NewMessage, QueueName, Receipt, Receive, StoredMessage, Timestamp,
};
use proptest::sample::Index;

use super::ledger::Ledger;
use super::operation::{Fate, IdPick, Item};
use super::seen::{Seen, without_store_words};
use crate::draft::secs;
use crate::settling::record;
use crate::stage::{count, name};

/// Both stores, and what happened so far.
pub(super) struct Pair {
    pub(super) model: Backend,
    /// Two handles to the store under test.
    pub(super) real: [Backend; 2],
    pub(super) clock: Arc<ManualClock>,
    pub(super) queue: QueueName,
    pub(super) other: QueueName,
    pub(super) ledger: Ledger,
    /// How the queue looked after the last step.
    pub(super) seen: Seen,
    /// All ids that were ever enqueued.
    pub(super) ids: Vec<(MessageId, IdOrigin)>,
    pub(super) deliveries: Vec<Delivered>,
    /// Those whose lease ended: they count as waiting, and their receipts are still good.
    pub(super) lapsed: BTreeSet<MessageId>,
    /// Deliveries that were acked: of which receive, and the message.
    pub(super) acked: BTreeSet<(usize, MessageId)>,
    /// How many receives there were.
    pub(super) receives: usize,
    pub(super) is_paused: bool,
    pub(super) is_moving: bool,
}

/// One delivery, with the receipts of both stores.
pub(super) struct Delivered {
    pub(super) id: MessageId,
    /// Which receive of the store it came with.
    pub(super) receive: usize,
    pub(super) model: Receipt,
    pub(super) real: Receipt,
}

impl Pair {
    pub(super) fn new(model: Backend, real: [Backend; 2], clock: Arc<ManualClock>) -> Self {
        Self {
            model,
            real,
            clock,
            queue: name("work"),
            other: name("other"),
            ledger: Ledger::default(),
            seen: Seen::default(),
            ids: Vec::new(),
            deliveries: Vec::new(),
            lapsed: BTreeSet::new(),
            acked: BTreeSet::new(),
            receives: 0,
            is_paused: false,
            is_moving: false,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The new message that an item stands for.
    pub(super) fn draft(&mut self, item: &Item) -> NewMessage {
        let mut is_again = false;
        let (id, origin) = match &item.id {
            IdPick::Again(index) if !self.known_again().is_empty() => {
                is_again = true;
                *index.get(&self.known_again())
            }
            IdPick::Fresh => (self.next_id(), IdOrigin::Fresh),
            IdPick::Given | IdPick::Again(_) => (self.next_id(), IdOrigin::Given),
        };
        self.ids.push((id, origin));
        let mut new = NewMessage::new(id, origin, JobKind::default(), id.to_string());
        new.group = item
            .group
            .and_then(|number| GroupName::new(format!("g{number}")).ok());
        new.lane = item.lane;
        new.due = (item.delay > 0).then(|| Due::In(secs(item.delay)));
        new.expires = item.expires.map(|span| Due::In(secs(span)));
        // A store that collapses copies at delivery gives the key to the copy.
        let key = item.key.filter(|_| !(is_again && self.collapses()));
        new.dedup = key.map(|(key, window)| Dedup {
            key: DedupKey::new(format!("k{key}")).expect("a key"),
            window: secs(window),
        });
        new
    }

    /// The ids that the store recognises when they come again in another call.
    fn known_again(&self) -> Vec<(MessageId, IdOrigin)> {
        let limits = self.real[0].queues.limits();
        let by_call = limits.fresh_id_repeat == FreshIdRepeat::SameCall;
        let known = |(_, origin): &&(MessageId, IdOrigin)| !by_call || *origin == IdOrigin::Given;
        self.ids.iter().filter(known).copied().collect()
    }

    /// Whether repeats of given ids are collapsed at delivery.
    pub(super) fn collapses(&self) -> bool {
        let limits = self.real[0].queues.limits();
        limits.given_id_repeat == GivenIdRepeat::CollapsedAtDelivery
    }

    fn next_id(&self) -> MessageId {
        let number = self.ids.len() as u64;
        MessageId::from_content(&[b"history", &number.to_be_bytes()])
    }

    /// The deliveries that picks stand for: the latest ones, so that many are still current.
    pub(super) fn pick_deliveries<'a>(&'a self, picks: &[&Index]) -> Vec<&'a Delivered> {
        let latest = &self.deliveries[self.deliveries.len().saturating_sub(12)..];
        if latest.is_empty() {
            return Vec::new();
        }
        picks.iter().map(|pick| pick.get(latest)).collect()
    }

    /// All deliveries whose leases are extended with those of the picks.
    pub(super) fn extended_with<'a>(&'a self, picked: &[&'a Delivered]) -> Vec<&'a Delivered> {
        if self.real[0].queues.limits().lease_unit == LeaseUnit::Message {
            return picked.to_vec();
        }
        let current = |one: &Delivered| self.deliveries.iter().rev().find(|d| d.id == one.id);
        let held = |one: &&Delivered| {
            let lives = self.seen.live.get(&one.id);
            let leased =
                lives.is_some_and(|live| matches!(live.state, MessageState::Leased { .. }));
            (leased || self.lapsed.contains(&one.id))
                && current(one).is_some_and(|last| last.receive == one.receive)
        };
        let receives: Vec<_> = picked
            .iter()
            .filter(|one| held(one))
            .map(|one| one.receive)
            .collect();
        let with = |one: &&Delivered| receives.contains(&one.receive);
        self.deliveries.iter().filter(with).collect()
    }

    /// The ids that picks stand for: half of them from `likely`, if there are any.
    pub(super) fn pick_ids(&self, picks: &[Index], likely: Vec<MessageId>) -> Vec<MessageId> {
        let mut from = likely;
        let some = from.len().max(1);
        from.extend(self.ids.iter().rev().take(some).map(|(id, _)| *id));
        if from.is_empty() {
            return Vec::new();
        }
        picks.iter().map(|pick| *pick.get(&from)).collect()
    }

    pub(super) fn live_ids(&self) -> Vec<MessageId> {
        self.seen.live.keys().copied().collect()
    }

    pub(super) fn dead_ids(&self) -> Vec<MessageId> {
        self.seen.dead.keys().copied().collect()
    }
}

/// Receives all that can be had, in the order it is handed out, call by call.
pub(super) async fn receive_all(at: &Backend, queue: &QueueName, lease: u64) -> Vec<Vec<Delivery>> {
    let mut all = Vec::new();
    loop {
        let received = receive_once(at, queue, 100, lease).await;
        if received.is_empty() {
            return all;
        }
        all.push(received);
    }
}

/// Receives with one call.
pub(super) async fn receive_once(
    at: &Backend,
    queue: &QueueName,
    max: u32,
    lease: u64,
) -> Vec<Delivery> {
    let request = Receive {
        batch_max: count(max),
        lease: secs(lease),
        wait_max: std::time::Duration::ZERO,
    };
    let received = at.queues.receive(queue, request).await;
    received.expect("receive").deliveries
}

/// Everything that an export gives.
pub(super) async fn export_all(at: &Backend, queue: &QueueName) -> Vec<StoredMessage> {
    let mut all = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = at.admin.export(queue, after.as_ref(), count(5)).await;
        let page = page.expect("export");
        all.extend(page.items.into_iter().map(without_store_words));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// The disposition that a fate stands for.
pub(super) fn disposition(fate: &Fate) -> Disposition {
    match fate {
        Fate::Ack => Disposition::Ack,
        Fate::Retry(delay, left) => Disposition::Retry {
            due: Due::In(secs(*delay)),
            record: record("it failed"),
            checkpoint: checkpoint(*left),
        },
        Fate::Release(delay, left) => Disposition::Release {
            due: delay.map(|delay| Due::In(secs(delay))),
            checkpoint: checkpoint(*left),
        },
        Fate::Dead {
            park,
            checkpoint: left,
        } => Disposition::DeadLetter {
            reason: longshore_core::DeadReason::Permanent,
            record: record("it is broken"),
            park_group: *park,
            checkpoint: checkpoint(*left),
        },
    }
}

/// 0 is the empty one, which clears.
fn checkpoint(left: Option<u8>) -> Option<Bytes> {
    left.map(|number| Bytes::from(vec![b'x'; usize::from(number)]))
}
