//! What a shard knows of the parts that other cells collect, and of those that it collects of them.

use std::collections::BTreeMap;

use longshore_core::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A record by number and id.
pub(crate) type RecordName = (i64, Uuid);

/// Parts of one record for another cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    pub(crate) parts: u64,
    /// When they came.
    pub(crate) at: Timestamp,
}

/// Parts on their way between cells. Those for another cell stay with the record that brought them
/// until that cell has them; it reads them there and notes, in the same record in which it takes
/// them, how far it has read. So each is taken once, however long that takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exchange {
    /// The last record with parts for each cell.
    pub(crate) last: BTreeMap<i16, RecordName>,
    /// The records with parts that a cell does not have yet, as far as is known here.
    pub(crate) outgoing: BTreeMap<i16, BTreeMap<i64, Outgoing>>,
    /// Up to which record the parts of the same shard of other cells were taken.
    pub(crate) taken: BTreeMap<i16, i64>,
}

impl Exchange {
    /// A record brought parts for a cell.
    pub(super) fn forward(&mut self, to: i16, record: RecordName, parts: u64, at: Timestamp) {
        self.last.insert(to, record);
        let outgoing = self.outgoing.entry(to).or_default();
        let of_record = outgoing.entry(record.0);
        of_record.or_insert(Outgoing { parts: 0, at }).parts += parts;
    }

    /// All parts that other cells do not have yet, and since when the oldest waits.
    pub(super) fn waiting(&self) -> (u64, Option<Timestamp>) {
        let all = self.outgoing.values().flat_map(BTreeMap::values);
        let oldest = all.clone().map(|outgoing| outgoing.at).min();
        (all.map(|outgoing| outgoing.parts).sum(), oldest)
    }

    /// The first record with parts that a cell does not have yet.
    pub(super) fn first(&self, of: i16) -> Option<i64> {
        let (first, _) = self.outgoing.get(&of)?.first_key_value()?;
        Some(*first)
    }

    /// A cell has all parts up to a record.
    pub(super) fn acknowledged(&mut self, by: i16, upto: i64) {
        if let Some(outgoing) = self.outgoing.get_mut(&by) {
            *outgoing = outgoing.split_off(&(upto + 1));
            if outgoing.is_empty() {
                self.outgoing.remove(&by);
            }
        }
    }

    /// Up to which record the parts of a cell were taken; 0 where none were.
    pub(crate) fn taken(&self, of: i16) -> i64 {
        self.taken.get(&of).copied().unwrap_or_default()
    }

    /// Takes note that the parts of a cell are taken up to a record, if they were up to `after`
    /// before. Otherwise another process took them.
    pub(super) fn take(&mut self, of: i16, after: i64, upto: i64) -> bool {
        let is_next = self.taken(of) == after && after < upto;
        if is_next {
            self.taken.insert(of, upto);
        }
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_not_taken_again() {
        let mut exchange = Exchange::default();
        assert!(exchange.take(1, 0, 7));
        assert!(!exchange.take(1, 0, 9));
        assert!(!exchange.take(1, 7, 7));
        assert!(exchange.take(1, 7, 9));
        assert_eq!(exchange.taken(1), 9);
    }

    #[test]
    fn what_is_acknowledged_goes_and_the_rest_stays() {
        let mut exchange = Exchange::default();
        for seq in [3, 5, 8] {
            exchange.forward(1, (seq, Uuid::nil()), 2, Timestamp::from_millis(seq));
        }
        let at = |millis| Some(Timestamp::from_millis(millis));
        assert_eq!(exchange.waiting(), (6, at(3)));
        exchange.acknowledged(1, 5);
        assert_eq!(exchange.first(1), Some(8));
        assert_eq!(exchange.waiting(), (2, at(8)));
        exchange.acknowledged(1, 8);
        assert!(exchange.outgoing.is_empty());
        assert_eq!(exchange.last[&1].0, 8);
    }
}
