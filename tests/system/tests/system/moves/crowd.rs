//! The messages of a history, and what must have become of them.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use longshore::core::{
    Delivery, Due, Enqueued, GroupName, IdOrigin, JobKind, Lane, MessageId, NewMessage,
};
use longshore::transfer::Place as End;

/// Messages in the crowd.
const MESSAGES: usize = 60;
/// Groups in the crowd, beside messages without one.
const GROUPS: u64 = 5;

/// The messages, and what happened to them.
pub(super) struct Crowd {
    pub(super) random: fastrand::Rng,
    /// Each message in the order of the enqueues, with its group.
    order: Vec<(MessageId, Option<GroupName>)>,
    /// How often each was acked.
    acked: BTreeMap<MessageId, u32>,
    /// The order of the acks.
    acks: Vec<MessageId>,
    /// What may come behind others of its group: it was dead and did not hold it.
    passed: Vec<MessageId>,
    /// Members that are leased, at either end.
    in_hands: BTreeMap<GroupName, MessageId>,
}

impl Crowd {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            order: Vec::new(),
            acked: BTreeMap::new(),
            acks: Vec::new(),
            passed: Vec::new(),
            in_hands: BTreeMap::new(),
        }
    }

    /// Stores them, in calls of several.
    pub(super) async fn enqueue(&mut self, at: &End) {
        let mut left: Vec<NewMessage> = (0..MESSAGES).map(|number| self.message(number)).collect();
        while !left.is_empty() {
            let some = self.random.usize(1..8).min(left.len());
            let batch: Vec<_> = left.drain(..some).collect();
            let stored = at.backend.queues.enqueue(&at.queue, &batch).await;
            assert_eq!(stored.expect("enqueue"), vec![Enqueued::Stored; some]);
        }
    }

    fn message(&mut self, number: usize) -> NewMessage {
        let id =
            MessageId::from_content(&[&number.to_le_bytes(), &self.random.u64(..).to_le_bytes()]);
        let mut new = NewMessage::new(id, IdOrigin::Given, JobKind::default(), number.to_string());
        let group = self.random.u64(0..GROUPS + 3);
        if group < GROUPS {
            new.group = GroupName::new(format!("g{group}")).ok();
        } else {
            new.lane = Lane::ALL[self.random.usize(..Lane::ALL.len())];
            let delay = Duration::from_millis(self.random.u64(0..800));
            new.due = self.random.bool().then_some(Due::In(delay));
        }
        self.order.push((id, new.group.clone()));
        new
    }

    /// It is leased now.
    pub(super) fn taken(&mut self, delivery: &Delivery) {
        let message = &delivery.message;
        if let Some(group) = &message.group {
            let other = self.in_hands.insert(group.clone(), message.id);
            assert_eq!(other, None, "two of {group} are in hands");
        }
    }

    /// Nobody has it any more.
    pub(super) fn given_back(&mut self, delivery: &Delivery) {
        if let Some(group) = &delivery.message.group {
            self.in_hands.remove(group);
        }
    }

    pub(super) fn acked(&mut self, delivery: &Delivery) {
        let id = delivery.message.id;
        *self.acked.entry(id).or_default() += 1;
        self.acks.push(id);
    }

    /// It is dead and its group goes on without it.
    pub(super) fn passed(&mut self, id: MessageId) {
        self.passed.push(id);
    }

    /// Makes all dead letters live again, those that hold their groups first.
    pub(super) async fn redrive(&mut self, at: &End) {
        let many = NonZeroU32::new(500).expect("500 is not zero");
        let dead = at.backend.admin.dead_letters(&at.queue, None, many).await;
        let dead = dead.expect("dead letters").items;
        for parks in [true, false] {
            let of_kind = dead
                .iter()
                .filter(|one| one.dead().is_some_and(|mark| mark.parks_group == parks));
            for one in of_kind {
                let redriven = at.backend.admin.redrive(&at.queue, &[one.id()]).await;
                redriven.expect("redrive");
            }
        }
    }

    /// Everything was worked once, and members of a group in their order.
    pub(super) fn judge(&self) {
        for (id, _) in &self.order {
            assert_eq!(self.acked.get(id), Some(&1), "acks of {id}");
        }
        assert_eq!(self.acked.len(), self.order.len());
        let mut groups: BTreeMap<&GroupName, Vec<MessageId>> = BTreeMap::new();
        for (id, group) in &self.order {
            if let Some(group) = group.as_ref().filter(|_| !self.passed.contains(id)) {
                groups.entry(group).or_default().push(*id);
            }
        }
        for (group, wanted) in groups {
            let worked = self.acks.iter().filter(|id| wanted.contains(id));
            let place = |id: &MessageId| wanted.iter().position(|other| other == id);
            let worked: Vec<_> = worked.filter_map(place).collect();
            assert!(
                worked.is_sorted(),
                "{group} was worked in this order: {worked:?}"
            );
        }
    }
}
