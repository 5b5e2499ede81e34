//! The whole state as plain rows, to be stored and read back.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, AggregateState, CompletedBy, Epoch,
    EpochShard, MessageId, OpenEpoch, Timestamp,
};

use super::{Closed, Done};

/// All of a state, without the indexes that follow from it. Two equal states make the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AggregateSnapshot<P> {
    generation: u64,
    last: Epoch,
    tokens: u64,
    /// Accepted, open, closed, released, dead, dropped, discarded.
    counts: [u64; 7],
    /// The rules that epochs name by their place here.
    rules: Vec<AggregateRules>,
    open: Vec<(AggregateKey, OpenEpoch, u32)>,
    closed: Vec<ClosedRow>,
    done: Vec<(Epoch, Option<AggregateKey>, Timestamp)>,
    parts: Vec<(Epoch, Timestamp, MessageId, P)>,
    members: Vec<(Epoch, Vec<MessageId>)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ClosedRow {
    key: AggregateKey,
    state: OpenEpoch,
    rules: u32,
    by: CompletedBy,
    at: Timestamp,
    is_set_aside: bool,
    ready_at: Timestamp,
    token: Option<u64>,
}

impl<P: Clone> AggregateSnapshot<P> {
    /// All of a state as rows.
    pub fn of(state: &AggregateState<P>) -> Self {
        let mut rules = Numbered::default();
        let open = state.open.iter();
        let open = open.map(|(key, open)| (key.clone(), open.state, rules.number(&open.rules)));
        let open = open.collect();
        let closed = state.closed.values();
        let closed = closed.map(|closed| ClosedRow::of(closed, rules.number(&closed.rules)));
        let closed = closed.collect();
        let done = state.done.iter();
        let done = done.map(|(epoch, done)| (*epoch, done.key.clone(), done.forgotten_at));
        let parts = state.parts.iter();
        let parts = parts.map(|((epoch, at, id), kept)| (*epoch, *at, *id, kept.clone()));
        let members = state.members.iter();
        let members = members.map(|(epoch, ids)| (*epoch, ids.clone()));
        Self {
            generation: state.generation,
            last: state.last,
            tokens: state.tokens,
            counts: numbers(&state.counts),
            rules: rules.rules,
            open,
            closed,
            done: done.collect(),
            parts: parts.collect(),
            members: members.collect(),
        }
    }

    /// The state that these rows are of; `None` where they contradict each other.
    pub fn restore(self, name: AggregateName, shard: EpochShard) -> Option<AggregateState<P>> {
        let mut state = AggregateState::new(name, self.generation, shard);
        let rules: Vec<_> = self.rules.into_iter().map(Arc::new).collect();
        let rules = |number: u32| rules.get(number as usize).cloned();
        (state.last, state.tokens) = (self.last, self.tokens);
        set_numbers(&mut state.counts, self.counts);
        for (key, open, number) in self.open {
            state.set_open(&key, open, Some(rules(number)?));
        }
        for row in self.closed {
            if !row.is_set_aside {
                *state.closed_keys.entry(row.key.clone()).or_default() += 1;
            }
            let epoch = row.state.epoch;
            state.ready.insert((row.ready_at, epoch));
            let rules = rules(row.rules)?;
            let closed = row.restore(rules);
            state.closed.insert(epoch, closed);
        }
        for (epoch, key, forgotten_at) in self.done {
            if let Some(key) = &key {
                *state.closed_keys.entry(key.clone()).or_default() += 1;
            }
            state.forgotten_at.insert((forgotten_at, epoch));
            state.done.insert(epoch, Done { key, forgotten_at });
        }
        let parts = self.parts.into_iter();
        state.parts = parts
            .map(|(epoch, at, id, kept)| ((epoch, at, id), kept))
            .collect();
        for (epoch, ids) in &self.members {
            state.ids.extend(ids.iter().map(|id| (*id, *epoch)));
        }
        state.members = BTreeMap::from_iter(self.members);
        Some(state)
    }
}

impl ClosedRow {
    fn of(closed: &Closed, rules: u32) -> Self {
        Self {
            key: closed.key.clone(),
            state: closed.state,
            rules,
            by: closed.by,
            at: closed.at,
            is_set_aside: closed.is_set_aside,
            ready_at: closed.ready_at,
            token: closed.token,
        }
    }

    fn restore(self, rules: Arc<AggregateRules>) -> Closed {
        Closed {
            key: self.key,
            state: self.state,
            rules,
            by: self.by,
            at: self.at,
            is_set_aside: self.is_set_aside,
            ready_at: self.ready_at,
            token: self.token,
        }
    }
}

fn numbers(counts: &AggregateInfo) -> [u64; 7] {
    [
        counts.accepted,
        counts.open,
        counts.closed,
        counts.released,
        counts.dead,
        counts.dropped,
        counts.discarded,
    ]
}

fn set_numbers(counts: &mut AggregateInfo, numbers: [u64; 7]) {
    [
        counts.accepted,
        counts.open,
        counts.closed,
        counts.released,
        counts.dead,
        counts.dropped,
        counts.discarded,
    ] = numbers;
}

/// Rules, each once.
#[derive(Default)]
struct Numbered {
    rules: Vec<AggregateRules>,
    numbers: HashMap<*const AggregateRules, u32>,
}

impl Numbered {
    fn number(&mut self, rules: &Arc<AggregateRules>) -> u32 {
        let rules_seen = &mut self.rules;
        *self.numbers.entry(Arc::as_ptr(rules)).or_insert_with(|| {
            let known = rules_seen.iter().position(|known| *known == **rules);
            let number = known.unwrap_or_else(|| {
                rules_seen.push((**rules).clone());
                rules_seen.len() - 1
            });
            u32::try_from(number).unwrap_or(u32::MAX)
        })
    }
}
