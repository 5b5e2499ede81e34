//! One aggregate: what is open, closed and remembered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, CompletedBy, Content, Epoch,
    EpochInfo, EpochPlace, EpochState, Message, MessageId, OpenEpoch, Page, Part, PartPlace,
    Timestamp,
};

use uuid::Uuid;

/// Everything of one aggregate.
#[derive(Debug)]
pub(crate) struct Book {
    /// When it was made: tells it from an earlier one of its name.
    pub(super) generation: u64,
    pub(super) last: Epoch,
    pub(super) open: BTreeMap<AggregateKey, Open>,
    /// When open epochs are to be looked at.
    pub(super) looks: BTreeSet<(Timestamp, AggregateKey)>,
    pub(super) closed: BTreeMap<Epoch, Closed>,
    /// When closed epochs may be handed out.
    pub(super) ready: BTreeSet<(Timestamp, Epoch)>,
    /// How many closed epochs of each key are remembered, done or not; parts that were set aside
    /// are none.
    pub(super) closed_keys: HashMap<AggregateKey, u32>,
    /// Epochs that are done, until they are forgotten, with their key if that is counted.
    done: HashMap<Epoch, Option<AggregateKey>>,
    forgotten_at: BTreeSet<(Timestamp, Epoch)>,
    /// Bodies are kept until an epoch is done.
    pub(super) parts: BTreeMap<(Epoch, Timestamp, MessageId), Message>,
    /// The ids of parts, and those of each epoch.
    pub(super) ids: HashMap<MessageId, Epoch>,
    pub(super) members: HashMap<Epoch, Vec<MessageId>>,
    /// Counts hand-outs: the fence of receipts.
    pub(super) tokens: u64,
    pub(super) counts: AggregateInfo,
}

/// An open epoch.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) state: OpenEpoch,
    pub(super) rules: Arc<AggregateRules>,
}

/// A closed epoch.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) key: AggregateKey,
    pub(super) state: OpenEpoch,
    pub(super) rules: Arc<AggregateRules>,
    pub(super) by: CompletedBy,
    pub(super) at: Timestamp,
    pub(super) is_set_aside: bool,
    /// From when on it may be handed out.
    pub(super) ready_at: Timestamp,
    /// The hand-out that has it.
    pub(super) token: Option<u64>,
}

impl Book {
    /// An aggregate in which nothing is.
    pub(super) fn new(name: AggregateName, now: Timestamp) -> Self {
        Self {
            generation: u64::try_from(now.as_millis()).unwrap_or(0),
            last: Epoch::NONE,
            open: BTreeMap::new(),
            looks: BTreeSet::new(),
            closed: BTreeMap::new(),
            ready: BTreeSet::new(),
            closed_keys: HashMap::new(),
            done: HashMap::new(),
            forgotten_at: BTreeSet::new(),
            parts: BTreeMap::new(),
            ids: HashMap::new(),
            members: HashMap::new(),
            tokens: 0,
            counts: AggregateInfo::new(name),
        }
    }

    /// Forgets the ids and keys whose time is over.
    pub(super) fn forget(&mut self, now: Timestamp) {
        while let Some((_, epoch)) = self
            .forgotten_at
            .first()
            .copied()
            .filter(|(at, _)| *at <= now)
        {
            self.forgotten_at.pop_first();
            if let Some(key) = self.done.remove(&epoch).flatten()
                && let Some(epochs) = self.closed_keys.get_mut(&key)
            {
                *epochs -= 1;
                if *epochs == 0 {
                    self.closed_keys.remove(&key);
                }
            }
            for id in self.members.remove(&epoch).unwrap_or_default() {
                self.ids.remove(&id);
            }
        }
    }

    /// Whether an epoch of the key was closed and is still remembered.
    pub(super) fn was_closed(&self, key: &AggregateKey) -> bool {
        self.closed_keys.contains_key(key)
    }

    /// Drops the bodies of an epoch that is done, and remembers its ids, and its key if it is
    /// counted among the closed ones.
    pub(super) fn remember(
        &mut self,
        epoch: Epoch,
        key: Option<AggregateKey>,
        closed_at: Timestamp,
        span: Duration,
    ) {
        let bodies = (epoch, Timestamp::EPOCH, MessageId::from_uuid(Uuid::nil()));
        let mut kept = self.parts.split_off(&bodies);
        let next = (Epoch::new(epoch.number() + 1), bodies.1, bodies.2);
        self.parts.append(&mut kept.split_off(&next));
        self.forgotten_at.insert((closed_at.plus(span), epoch));
        self.done.insert(epoch, key);
    }

    /// Its numbers.
    pub(super) fn info(&self) -> AggregateInfo {
        let mut info = self.counts.clone();
        info.open_epochs = self.open.len() as u64;
        info.closed_epochs = self.closed.len() as u64;
        info.next = self.next();
        info
    }

    /// When the next turn has something to do.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let look = self.looks.first().map(|(at, _)| *at);
        let ready = self.ready.first().map(|(at, _)| *at);
        look.into_iter().chain(ready).min()
    }

    pub(super) fn page_parts(
        &self,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<PartPlace>,
        max: NonZeroU32,
    ) -> Page<Part> {
        let open = self.open.get(key).map(|open| open.state.epoch);
        let closed = self.closed.get(&epoch).map(|closed| &closed.key);
        if open != Some(epoch) && closed != Some(key) {
            return Page::last(Vec::new());
        }
        let first = (epoch, Timestamp::EPOCH, MessageId::from_uuid(Uuid::nil()));
        let after = after.map(|after| (epoch, after.position, after.id));
        let from = after.map_or(Bound::Included(first), Bound::Excluded);
        let mut of_epoch = self
            .parts
            .range((from, Bound::Unbounded))
            .take_while(|((of, ..), _)| *of == epoch);
        let page: Vec<_> = of_epoch.by_ref().take(max.get() as usize).collect();
        let last = of_epoch.next().and(page.last());
        let next = last.map(|((_, at, id), _)| place(*at, *id).cursor());
        let part = |message: &Message| Part::new(Content::Intact(message.clone()));
        Page {
            items: page.iter().map(|(_, message)| part(message)).collect(),
            next,
        }
    }

    pub(super) fn page_epochs(
        &self,
        key: Option<&AggregateKey>,
        after: Option<&EpochPlace>,
        max: NonZeroU32,
        now: Timestamp,
    ) -> Page<EpochInfo> {
        let is_wanted = |of: &AggregateKey| key.is_none_or(|key| key == of);
        let open = self.open.iter().filter(|(key, _)| match &after {
            None => true,
            Some(EpochPlace::Open(after)) => *key > after,
            Some(EpochPlace::Closed(_)) => false,
        });
        let open = open.filter(|(key, _)| is_wanted(key));
        let open = open.map(|(key, open)| (EpochPlace::Open(key.clone()), open.info(key)));
        let closed = self.closed.iter().filter(|(epoch, _)| match &after {
            Some(EpochPlace::Closed(after)) => *epoch > after,
            _ => true,
        });
        let closed = closed.filter(|(_, closed)| is_wanted(&closed.key));
        let closed = closed.map(|(epoch, closed)| (EpochPlace::Closed(*epoch), closed.info(now)));
        let mut all = open.chain(closed);
        let page: Vec<_> = all.by_ref().take(max.get() as usize).collect();
        let next = all.next().and(page.last()).map(|(place, _)| place.cursor());
        let items = page.into_iter().map(|(_, info)| info).collect();
        Page { items, next }
    }
}

impl Open {
    fn info(&self, key: &AggregateKey) -> EpochInfo {
        EpochInfo::open(key.clone(), &self.state, self.rules.clone())
    }
}

impl Closed {
    pub(super) fn info(&self, now: Timestamp) -> EpochInfo {
        let state = EpochState::Closed {
            by: self.by,
            at: self.at,
            leased_until: self.leased_until(now),
            is_set_aside: self.is_set_aside,
        };
        EpochInfo::new(self.key.clone(), &self.state, self.rules.clone(), state)
    }

    /// Until when a worker has it.
    pub(super) fn leased_until(&self, now: Timestamp) -> Option<Timestamp> {
        let is_leased = self.token.is_some() && self.ready_at > now;
        is_leased.then_some(self.ready_at)
    }
}

fn place(position: Timestamp, id: MessageId) -> PartPlace {
    PartPlace { position, id }
}
