//! What the records of a log add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use longshore_core::{
    AggregateName, AggregateSnapshot, AggregateState, Appends, Changed, EpochShard, PartHead,
    Settled, Timestamp, Turned,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::aggregate::exchange::Exchange;
use crate::aggregate::record::{Command, ReceiptBytes, Record};
use crate::aggregate::storage::{Head, PartSpot, RecordRow, page_of};

/// A shard of an aggregate as of one record.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) head: Head,
    /// The time of its last record.
    pub(crate) at: Timestamp,
    pub(crate) state: AggregateState<PartSpot>,
    pub(super) kept: Kept,
    pub(crate) exchange: Exchange,
    /// Bytes of records since the snapshot, and those of the snapshot.
    pub(super) tail_bytes: usize,
    pub(super) snapshot_bytes: usize,
}

/// What of the log is in the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Pages of records and parts.
    pub(crate) pages: BTreeSet<i64>,
    /// Snapshots that may be adopted, with the number of the record that announced each.
    pub(crate) announced: BTreeMap<Uuid, i64>,
    /// The snapshot that the head names.
    pub(crate) adopted: Option<(Uuid, i64)>,
    /// Snapshots that nobody will read any more.
    pub(crate) doomed: BTreeSet<Uuid>,
}

/// The stored form of a replica.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    seq: i64,
    record: Uuid,
    at: Timestamp,
    kept: Kept,
    exchange: Exchange,
    state: AggregateSnapshot<PartSpot>,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) enum Reply {
    Appended(Appends),
    Turned(Turned),
    Settled(Vec<Settled>),
    Changed(Vec<Changed>),
    Noted,
}

impl Replica {
    /// Before the first record.
    pub(super) fn new(name: &AggregateName, generation: u64, shard: EpochShard) -> Self {
        Self {
            head: Head::default(),
            at: Timestamp::EPOCH,
            state: AggregateState::new(name.clone(), generation, shard),
            kept: Kept::default(),
            exchange: Exchange::default(),
            tail_bytes: 0,
            snapshot_bytes: 0,
        }
    }

    /// What of the log is in the tables.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The time of a record that is made now: that of the last one where this host is behind.
    pub(crate) fn time(&self, now: Timestamp) -> Timestamp {
        self.at.max(now)
    }

    /// Whether a snapshot may be adopted.
    pub(super) fn is_announced(&self, snapshot: Uuid) -> bool {
        self.kept.announced.contains_key(&snapshot)
    }

    /// The head that names a record behind this one, with these commands in it.
    pub(super) fn head_with(&self, row: &RecordRow, commands: &[Command]) -> Head {
        let mut adopted = commands.iter().rev().filter_map(|command| match command {
            Command::Adopt(snapshot) if self.is_announced(*snapshot) => Some(*snapshot),
            _ => None,
        });
        Head {
            seq: row.seq,
            record: row.id,
            snapshot: adopted.next().or(self.head.snapshot),
        }
    }

    /// Plays the next record; one reply for each of its commands.
    pub(super) fn apply(&mut self, row: &RecordRow, record: &Record) -> Vec<Reply> {
        self.at = self.time(record.at);
        (self.head.seq, self.head.record) = (row.seq, row.id);
        self.kept.pages.insert(page_of(row.seq));
        self.tail_bytes += row.body.len();
        let mut rows = 0..i32::MAX;
        let commands = record.commands.iter();
        commands
            .map(|command| self.play(command, row, &mut rows))
            .collect()
    }

    fn play(&mut self, command: &Command, row: &RecordRow, rows: &mut Range<i32>) -> Reply {
        let now = self.at;
        match command {
            Command::Append(rules, parts) => {
                let parts = placed(row, rows, parts);
                Reply::Appended(self.state.append(&Arc::new(rules.clone()), parts, now))
            }
            Command::Forward { to, parts, .. } => {
                rows.start += parts.len() as i32;
                let count = parts.len() as u64;
                self.exchange.forward(*to, (row.seq, row.id), count, now);
                Reply::Noted
            }
            Command::Take {
                of,
                after,
                upto,
                groups,
            } => {
                let is_next = self.exchange.take(*of, *after, *upto);
                for (rules, parts) in groups {
                    let parts = placed(row, rows, parts);
                    if is_next {
                        self.state.append(&Arc::new(rules.clone()), parts, now);
                    }
                }
                Reply::Noted
            }
            Command::Acknowledged { by, upto } => {
                self.exchange.acknowledged(*by, *upto);
                Reply::Noted
            }
            Command::Turn(turn) => Reply::Turned(self.state.turn(*turn, now)),
            Command::Answer(verdicts) => {
                let answered = verdicts
                    .iter()
                    .map(|verdict| self.state.answer(verdict, now));
                Reply::Settled(answered.collect())
            }
            Command::Finish(epochs) => {
                let finish = |(receipt, fate): &(ReceiptBytes, _)| {
                    self.state.finish(&receipt.receipt(), *fate, now)
                };
                Reply::Settled(epochs.iter().map(finish).collect())
            }
            Command::Change(epochs) => {
                let changed = epochs
                    .iter()
                    .map(|(key, epoch, change)| self.state.change(key, *epoch, *change, now));
                Reply::Changed(changed.collect())
            }
            Command::Announce(snapshot) => {
                self.kept.announced.insert(*snapshot, row.seq);
                Reply::Noted
            }
            Command::Adopt(snapshot) => {
                self.adopt(*snapshot);
                Reply::Noted
            }
            Command::Deleted { snapshots, pages } => {
                for snapshot in snapshots {
                    self.kept.doomed.remove(snapshot);
                }
                for page in pages {
                    self.kept.pages.remove(page);
                }
                Reply::Noted
            }
        }
    }

    /// The head names a snapshot now; those announced before it are nobody's.
    fn adopt(&mut self, snapshot: Uuid) {
        let kept = &mut self.kept;
        let Some(seq) = kept.announced.remove(&snapshot) else {
            return;
        };
        let older: Vec<_> = kept.announced.iter().filter(|(_, at)| **at < seq).collect();
        let older: Vec<_> = older.into_iter().map(|(id, _)| *id).collect();
        for id in older {
            kept.announced.remove(&id);
            kept.doomed.insert(id);
        }
        kept.doomed.extend(kept.adopted.map(|(id, _)| id));
        kept.adopted = Some((snapshot, seq));
        self.head.snapshot = Some(snapshot);
    }

    /// All of it, to be stored.
    pub(super) fn stored(&self) -> Stored {
        Stored {
            seq: self.head.seq,
            record: self.head.record,
            at: self.at,
            kept: self.kept.clone(),
            exchange: self.exchange.clone(),
            state: AggregateSnapshot::of(&self.state),
        }
    }

    /// What was stored, of a snapshot of so many bytes; `None` where its rows contradict each other.
    pub(super) fn restored(
        name: &AggregateName,
        shard: EpochShard,
        (snapshot, bytes): (Uuid, usize),
        stored: Stored,
    ) -> Option<Self> {
        Some(Self {
            head: Head {
                seq: stored.seq,
                record: stored.record,
                snapshot: Some(snapshot),
            },
            at: stored.at,
            state: stored.state.restore(name.clone(), shard)?,
            kept: stored.kept,
            exchange: stored.exchange,
            tail_bytes: 0,
            snapshot_bytes: bytes,
        })
    }
}

/// Parts with the places of their rows in a record.
fn placed(
    record: &RecordRow,
    rows: &mut Range<i32>,
    parts: &[PartHead],
) -> Vec<(PartHead, PartSpot)> {
    let spot = |(head, row): (&PartHead, i32)| {
        let spot = PartSpot {
            seq: record.seq,
            record: record.id,
            row,
            bytes: u32::try_from(head.bytes).unwrap_or(u32::MAX),
        };
        (head.clone(), spot)
    };
    parts.iter().zip(rows).map(spot).collect()
}
