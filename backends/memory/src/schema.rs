//! What lies in the maps.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use longshore_core::{
    AggregateName, AggregateState, Content, DeadMark, DedupKey, GroupName, History, Lane,
    LeaseName, Message, MessageId, MessageState, MovingMark, NamedLease, Pause, QueueName,
    QueueSettings, StoredMessage, Timestamp, WorkerInfo,
};

/// Everything a store holds.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub(crate) queues: BTreeMap<QueueName, Queue>,
    pub(crate) leases: BTreeMap<LeaseName, HeldLease>,
    pub(crate) progress: BTreeMap<(LeaseName, String), (Bytes, Timestamp)>,
    pub(crate) workers: BTreeMap<String, (WorkerInfo, Timestamp)>,
    pub(crate) aggregates: BTreeMap<AggregateName, AggregateState<Message>>,
    pub(crate) numbers: Numbers,
}

/// Gives out growing numbers from 1: sequences, deliveries and dead letters share them.
#[derive(Debug, Default)]
pub(crate) struct Numbers(u64);

impl Numbers {
    /// A number greater than all before.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// A lease and whether it was given back. It stays here when it ends: epochs only grow.
#[derive(Debug)]
pub(crate) struct HeldLease {
    pub(crate) lease: NamedLease,
    pub(crate) released: bool,
}

/// One queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) settings: QueueSettings,
    pub(crate) pause: Option<Pause>,
    pub(crate) moving: Option<MovingMark>,
    /// How many messages were handed out: decides which lane goes first.
    pub(crate) turn: u64,
    /// Live messages.
    pub(crate) live: HashMap<MessageId, Row>,
    /// Their places.
    pub(crate) order: BTreeSet<Place>,
    /// What the next receive may take, by lane: ready messages and those with an ended lease.
    pub(crate) ready: [BTreeSet<Place>; 3],
    /// When delayed, backed-off and set-aside messages are due.
    pub(crate) due: BTreeSet<(Timestamp, Place)>,
    /// When running leases end.
    pub(crate) lease_ends: BTreeSet<(Timestamp, Place)>,
    pub(crate) groups: HashMap<GroupName, Group>,
    /// Dead letters, oldest first.
    pub(crate) dead: BTreeMap<DeadPlace, DeadRow>,
    pub(crate) dead_places: HashMap<MessageId, DeadPlace>,
    /// Given ids of messages that are done, and until when each is recognised.
    pub(crate) done: HashMap<MessageId, Timestamp>,
    pub(crate) done_ends: BTreeSet<(Timestamp, MessageId)>,
    /// Dedup keys with the message that came first, and until when each is recognised.
    pub(crate) keys: HashMap<KeyScope, (MessageId, Timestamp)>,
    pub(crate) key_ends: BTreeSet<(Timestamp, KeyScope)>,
}

/// A dedup key in its scope.
pub(crate) type KeyScope = (Option<GroupName>, DedupKey);

/// Where a message stands in its queue. Its group keeps the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// When it first became due.
    pub(crate) at: Timestamp,
    pub(crate) sequence: u64,
    pub(crate) id: MessageId,
}

/// Where a dead letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeadPlace {
    pub(crate) dead_at: Timestamp,
    pub(crate) sequence: u64,
}

/// A message and what changes about it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) content: Content,
    pub(crate) place: Place,
    pub(crate) lane: Lane,
    pub(crate) group: Option<GroupName>,
    pub(crate) state: State,
    pub(crate) attempts: u32,
    pub(crate) recorded_through: u32,
    pub(crate) due_at: Timestamp,
    pub(crate) history: History,
    pub(crate) checkpoint: Option<Bytes>,
}

impl Row {
    pub(crate) fn id(&self) -> MessageId {
        self.place.id
    }

    /// What operators see of it.
    pub(crate) fn view(&self, state: MessageState) -> StoredMessage {
        let mut view = StoredMessage::of(self.content.clone(), state, self.due_at);
        view.attempts = self.attempts;
        view.recorded_through = self.recorded_through;
        view.history = self.history.clone();
        view.checkpoint.clone_from(&self.checkpoint);
        view
    }
}

/// Where a live message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The next receive may take it.
    Ready,
    /// Due, but behind another member of its group.
    Behind,
    /// Its due time is ahead.
    Delayed,
    /// Of a newer version: put back for a while.
    SetAside,
    /// One receipt holds it.
    Leased {
        until: Timestamp,
        /// The number of the delivery: the fence of its receipt.
        delivery: u64,
    },
}

impl State {
    pub(crate) fn shown(self, now: Timestamp) -> MessageState {
        match self {
            Self::Leased { until, .. } if until > now => MessageState::Leased { until },
            Self::Delayed => MessageState::Delayed,
            Self::Ready | Self::Behind | Self::SetAside | Self::Leased { .. } => {
                MessageState::Waiting
            }
        }
    }

    /// Whether a worker has it. Once the lease has ended nobody does.
    pub(crate) fn is_in_hands(self, now: Timestamp) -> bool {
        matches!(self, Self::Leased { until, .. } if until > now)
    }
}

/// A dead letter.
#[derive(Clone, Debug)]
pub(crate) struct DeadRow {
    pub(crate) row: Row,
    pub(crate) mark: DeadMark,
}

/// A group that has members.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The one member that is ready, leased or in back-off.
    pub(crate) head: Option<MessageId>,
    /// The others that are due.
    pub(crate) behind: BTreeSet<Place>,
    /// Dead members that hold it.
    pub(crate) parked_by: BTreeSet<MessageId>,
}
