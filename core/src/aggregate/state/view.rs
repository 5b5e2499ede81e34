//! What is to be seen of an aggregate.

use std::num::NonZeroU32;
use std::ops::Bound;

use crate::{
    AggregateInfo, AggregateKey, AggregateState, Epoch, EpochInfo, EpochPlace, EpochState,
    MessageId, Page, PartPlace, Timestamp,
};

use super::{Closed, Open, first_of};

impl<P> AggregateState<P> {
    /// Its numbers.
    pub fn info(&self) -> AggregateInfo {
        let mut info = self.counts.clone();
        info.open_epochs = self.open.len() as u64;
        info.closed_epochs = self.closed.len() as u64;
        info.next = self.next();
        info
    }

    /// When the next turn has something to do.
    pub fn next(&self) -> Option<Timestamp> {
        let look = self.looks.first().map(|(at, _)| *at);
        let ready = self.ready.first().map(|(at, _)| *at);
        look.into_iter().chain(ready).min()
    }

    /// How many epochs a turn would close, ask about or hand out; at most `max`.
    pub fn due(&self, now: Timestamp, max: usize) -> usize {
        let looks = self.looks.iter().take_while(|(at, _)| *at <= now);
        let looks = looks.take(max);
        let ready = self.ready.iter().take_while(|(at, _)| *at <= now);
        looks
            .count()
            .saturating_add(ready.take(max).count())
            .min(max)
    }

    /// What is kept of the parts of all epochs that are not done.
    pub fn kept(&self) -> impl Iterator<Item = &P> {
        self.parts.values()
    }

    /// The parts of an open or closed epoch, ordered by position, then by id.
    pub fn parts(
        &self,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<PartPlace>,
        max: NonZeroU32,
    ) -> Page<(PartPlace, P)>
    where
        P: Clone,
    {
        let open = self.open.get(key).map(|open| open.state.epoch);
        let closed = self.closed.get(&epoch).map(|closed| &closed.key);
        if open != Some(epoch) && closed != Some(key) {
            return Page::last(Vec::new());
        }
        let after = after.map(|after| (epoch, after.position, after.id));
        let from = after.map_or(Bound::Included(first_of(epoch)), Bound::Excluded);
        let mut of_epoch = self
            .parts
            .range((from, Bound::Unbounded))
            .take_while(|((of, ..), _)| *of == epoch);
        let page: Vec<_> = of_epoch.by_ref().take(max.get() as usize).collect();
        let last = of_epoch.next().and(page.last());
        let place = |(_, position, id): &(Epoch, Timestamp, MessageId)| PartPlace {
            position: *position,
            id: *id,
        };
        let next = last.map(|(at, _)| place(at).cursor());
        let items = page.iter().map(|(at, kept)| (place(at), (*kept).clone()));
        Page {
            items: items.collect(),
            next,
        }
    }

    /// The open epochs by key, then the closed ones by number; of one key, if one is named.
    pub fn epochs(
        &self,
        key: Option<&AggregateKey>,
        after: Option<&EpochPlace>,
        max: NonZeroU32,
        now: Timestamp,
    ) -> Page<EpochInfo> {
        let is_wanted = |of: &AggregateKey| key.is_none_or(|key| key == of);
        let open = self.open.iter().filter(|(key, _)| match after {
            None => true,
            Some(EpochPlace::Open(after)) => *key > after,
            Some(EpochPlace::Closed(_)) => false,
        });
        let open = open.filter(|(key, _)| is_wanted(key));
        let open = open.map(|(key, open)| open.info(key));
        let closed = self.closed.iter().filter(|(epoch, _)| match after {
            Some(EpochPlace::Closed(after)) => *epoch > after,
            _ => true,
        });
        let closed = closed.filter(|(_, closed)| is_wanted(&closed.key));
        let closed = closed.map(|(_, closed)| closed.info(now));
        let mut all = open.chain(closed);
        let items: Vec<_> = all.by_ref().take(max.get() as usize).collect();
        let next = all.next().and(items.last());
        let next = next.map(|info| EpochPlace::from(info).cursor());
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
