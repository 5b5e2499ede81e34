//! What one replica holds of one partition: cells of which the last write wins.

use std::collections::BTreeMap;

use bytes::Bytes;
use uuid::Uuid;

use crate::aggregate::storage::{Head, LogId, PartRow};
use crate::protocol::storage::{
    Bucket, Heartbeat, Mark, MessageRow, Notification, NotificationKind, Ownership, Position,
    Stream, Watermark,
};

/// A partition by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Messages(Bucket),
    Events(Bucket),
    Buckets(Stream),
    Marks(Stream),
    Owner(i16),
    Process(Uuid),
    Notifications(i16),
    LogHead(LogId),
    LogPage(LogId, i64),
    LogParts(LogId, i64),
    LogSnapshot(LogId, Uuid),
    LogAcknowledged(LogId),
}

/// A cell by its clustering key and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Message(Position),
    Event(Position, i32, i8),
    /// A registration, by one of its columns.
    Bucket(i64, Column),
    Mark(bool),
    Owner,
    Heartbeat,
    Notification(Uuid, i32, NotificationKind),
    LogHead,
    Record(i64, Uuid),
    Part(i64, Uuid, i32),
    Piece(i32),
    Acknowledged(i16),
}

/// A column of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Row,
    Done,
    Watermark,
}

impl Key {
    pub(super) fn mark(mark: Mark) -> Self {
        Self::Mark(mark == Mark::Closed)
    }
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Message(MessageRow),
    Detail(Bytes),
    Set,
    Mark(i64),
    Owner(Ownership),
    Heartbeat(Heartbeat),
    Notification(Notification),
    Watermark(Watermark),
    LogHead(Head),
    Body(Bytes),
    Part(PartRow),
}

/// One write as it reaches a replica.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) place: Place,
    /// The timestamp of its cells and tombstones.
    pub(super) stamp: i64,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Put(Vec<(Key, Value)>),
    DeleteAll,
    /// Registrations below.
    DeleteBelow(i64),
}

/// The cells and tombstones of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Partition {
    cells: BTreeMap<Key, (i64, Value)>,
    deleted: Option<i64>,
    /// Range tombstones: below which bucket, by which timestamp.
    below: BTreeMap<i64, i64>,
}

impl Partition {
    pub(super) fn apply(&mut self, change: &Change) {
        let stamp = change.stamp;
        match &change.what {
            What::Put(cells) => {
                for (key, value) in cells {
                    self.put(*key, stamp, value);
                }
            }
            What::DeleteAll => {
                self.deleted = self.deleted.max(Some(stamp));
                self.sweep();
            }
            What::DeleteBelow(bucket) => {
                let at = self.below.entry(*bucket).or_insert(stamp);
                *at = stamp.max(*at);
                self.sweep();
            }
        }
    }

    /// All that this or the other one has.
    pub(super) fn merge(&mut self, other: &Self) {
        self.deleted = self.deleted.max(other.deleted);
        for (bucket, stamp) in &other.below {
            let at = self.below.entry(*bucket).or_insert(*stamp);
            *at = *at.max(&mut stamp.clone());
        }
        if self.cells.is_empty() {
            self.cells.clone_from(&other.cells);
        } else {
            for (key, (stamp, value)) in &other.cells {
                self.put(*key, *stamp, value);
            }
        }
        self.sweep();
    }

    pub(super) fn get(&self, key: Key) -> Option<&Value> {
        self.cells.get(&key).map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.cells.iter().map(|(key, (_, value))| (key, value))
    }

    fn put(&mut self, key: Key, stamp: i64, value: &Value) {
        if self.is_dead(key, stamp) {
            return;
        }
        let newer = self.cells.get(&key).is_none_or(|(at, _)| stamp >= *at);
        if newer {
            self.cells.insert(key, (stamp, value.clone()));
        }
    }

    fn is_dead(&self, key: Key, stamp: i64) -> bool {
        let below = |number: i64| {
            let mut tombstones = self.below.iter();
            tombstones.any(|(bucket, at)| number < *bucket && stamp <= *at)
        };
        self.deleted.is_some_and(|at| stamp <= at)
            || matches!(key, Key::Bucket(number, _) if below(number))
    }

    /// Drops what is behind a tombstone.
    fn sweep(&mut self) {
        if self.deleted.is_none() && self.below.is_empty() {
            return;
        }
        let mut cells = std::mem::take(&mut self.cells);
        cells.retain(|key, (stamp, _)| !self.is_dead(*key, *stamp));
        self.cells = cells;
    }
}
