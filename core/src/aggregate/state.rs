//! The state of one aggregate, or of one shard of it, in memory: what is open, closed and
//! remembered.
//!
//! It is a deterministic state machine: the same calls with the same times make the same state, on
//! whatever host. So it serves as the whole of a store in memory, and as what a replicated log of
//! calls adds up to.

mod append;
mod closed;
mod snapshot;
mod turn;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::{
    AggregateInfo, AggregateKey, AggregateName, AggregateRules, CompletedBy, Epoch, MessageId,
    OpenEpoch, Timestamp,
};

pub use append::PartHead;
pub use snapshot::AggregateSnapshot;

/// Everything of one aggregate, or of one of its shards. `P` is what the store keeps of a part: the
/// message itself, or where it lies.
#[derive(Debug)]
pub struct AggregateState<P> {
    /// When it was made: tells it from an earlier one of its name.
    generation: u64,
    shard: EpochShard,
    last: Epoch,
    open: BTreeMap<AggregateKey, Open>,
    /// When open epochs are to be looked at.
    looks: BTreeSet<(Timestamp, AggregateKey)>,
    closed: BTreeMap<Epoch, Closed>,
    /// When closed epochs may be handed out.
    ready: BTreeSet<(Timestamp, Epoch)>,
    /// How many closed epochs of each key are remembered, done or not; parts that were set aside
    /// are none.
    closed_keys: HashMap<AggregateKey, u32>,
    /// Epochs that are done, until they are forgotten.
    done: BTreeMap<Epoch, Done>,
    forgotten_at: BTreeSet<(Timestamp, Epoch)>,
    /// Kept until their epoch is done.
    parts: BTreeMap<(Epoch, Timestamp, MessageId), P>,
    /// The ids of parts, and those of each epoch.
    ids: HashMap<MessageId, Epoch>,
    members: BTreeMap<Epoch, Vec<MessageId>>,
    /// Counts hand-outs: the fence of receipts.
    tokens: u64,
    counts: AggregateInfo,
}

/// The epochs of one shard: those whose number leaves `index` when divided by `of`. So no number
/// comes twice in an aggregate, and it tells the shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochShard {
    /// The number of the shard.
    pub index: u64,
    /// How many there are; at least one.
    pub of: u64,
}

impl EpochShard {
    /// An aggregate that is not cut into shards.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// The shard of an epoch.
    pub fn of(epoch: Epoch, shards: u64) -> u64 {
        epoch.number() % shards.max(1)
    }

    /// The first epoch of this shard from one on.
    fn from(self, epoch: Epoch) -> Epoch {
        let of = self.of.max(1);
        let past = (epoch.number() % of + of - self.index % of) % of;
        let on = if past == 0 { 0 } else { of - past };
        Epoch::new(epoch.number().saturating_add(on))
    }
}

/// An open epoch.
#[derive(Clone, Debug)]
struct Open {
    state: OpenEpoch,
    rules: Arc<AggregateRules>,
}

/// A closed epoch.
#[derive(Clone, Debug)]
struct Closed {
    key: AggregateKey,
    state: OpenEpoch,
    rules: Arc<AggregateRules>,
    by: CompletedBy,
    at: Timestamp,
    is_set_aside: bool,
    /// From when on it may be handed out.
    ready_at: Timestamp,
    /// The hand-out that has it.
    token: Option<u64>,
}

/// An epoch that is done.
#[derive(Clone, Debug)]
struct Done {
    /// Its key, if it is counted among the closed ones.
    key: Option<AggregateKey>,
    forgotten_at: Timestamp,
}

impl<P> AggregateState<P> {
    /// An aggregate in which nothing is.
    pub fn new(name: AggregateName, generation: u64, shard: EpochShard) -> Self {
        Self {
            generation,
            shard,
            last: Epoch::NONE,
            open: BTreeMap::new(),
            looks: BTreeSet::new(),
            closed: BTreeMap::new(),
            ready: BTreeSet::new(),
            closed_keys: HashMap::new(),
            done: BTreeMap::new(),
            forgotten_at: BTreeSet::new(),
            parts: BTreeMap::new(),
            ids: HashMap::new(),
            members: BTreeMap::new(),
            tokens: 0,
            counts: AggregateInfo::new(name),
        }
    }

    /// Forgets the ids and keys whose time is over.
    fn forget(&mut self, now: Timestamp) {
        while let Some((_, epoch)) = self
            .forgotten_at
            .first()
            .copied()
            .filter(|(at, _)| *at <= now)
        {
            self.forgotten_at.pop_first();
            let done = self.done.remove(&epoch);
            if let Some(key) = done.and_then(|done| done.key)
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

    /// Drops the parts of an epoch that is done, and remembers its ids, and its key if it is
    /// counted among the closed ones.
    fn remember(
        &mut self,
        epoch: Epoch,
        key: Option<AggregateKey>,
        closed_at: Timestamp,
        span: Duration,
    ) {
        let mut kept = self.parts.split_off(&first_of(epoch));
        let next = first_of(Epoch::new(epoch.number() + 1));
        self.parts.append(&mut kept.split_off(&next));
        let forgotten_at = closed_at.plus(span);
        self.forgotten_at.insert((forgotten_at, epoch));
        self.done.insert(epoch, Done { key, forgotten_at });
    }

    /// The number that the next epoch gets.
    fn next_epoch(&self, now: Timestamp) -> Epoch {
        self.shard.from(self.last.next(now))
    }
}

/// Before all parts of an epoch.
fn first_of(epoch: Epoch) -> (Epoch, Timestamp, MessageId) {
    (epoch, Timestamp::EPOCH, MessageId::from_uuid(Uuid::nil()))
}

#[cfg(test)]
mod histories;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epochs_of_a_shard_grow_and_tell_it() {
        let shard = EpochShard { index: 2, of: 4 };
        for (from, to) in [(0, 2), (2, 2), (3, 6), (5, 6), (6, 6)] {
            let next = shard.from(Epoch::new(from));
            assert_eq!(next.number(), to, "{from}");
            assert_eq!(EpochShard::of(next, 4), 2);
        }
        assert_eq!(EpochShard::WHOLE.from(Epoch::new(7)).number(), 7);
    }
}
