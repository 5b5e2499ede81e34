//! An open epoch: what a store keeps of it, and when it is due.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AggregateRules, CompletedBy, Epoch, Timestamp};

/// What a store keeps of an open epoch beside its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEpoch {
    /// Its number.
    pub epoch: Epoch,
    /// How many parts it has.
    pub parts: u32,
    /// How many bytes their bodies have together.
    pub bytes: u64,
    /// When the first part came.
    pub opened: Timestamp,
    /// When the last part came.
    pub last: Timestamp,
    /// When a worker is to be asked whether the predicate is true of it; `None` where nothing is
    /// to be asked.
    pub ask_at: Option<Timestamp>,
    /// Whether its predicate may still be asked: one that failed is not.
    pub asks: bool,
}

impl OpenEpoch {
    /// An epoch of one part, which is set aside.
    pub fn single(epoch: Epoch, bytes: u64, now: Timestamp) -> Self {
        Self {
            epoch,
            parts: 1,
            bytes,
            opened: now,
            last: now,
            ask_at: None,
            asks: false,
        }
    }

    /// When it completes by time, if no part comes before, and by which rule.
    pub fn due(&self, rules: &AggregateRules) -> Option<(Timestamp, CompletedBy)> {
        let after = |from: Timestamp, millis: u64| from.plus(Duration::from_millis(millis));
        let ends = [
            rules
                .at_most_ms
                .map(|span| (after(self.opened, span), CompletedBy::Age)),
            rules
                .idle_ms
                .map(|span| (after(self.last, span), CompletedBy::Idle)),
            rules
                .interval_end(self.opened)
                .map(|end| (end, CompletedBy::Interval)),
        ];
        ends.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// When somebody has to look at it, at the latest.
    pub fn look_at(&self, rules: &AggregateRules) -> Option<Timestamp> {
        let due = self.due(rules).map(|(at, _)| at);
        due.into_iter().chain(self.ask_at).min()
    }

    /// What completes it at this time, if anything does.
    pub fn due_by(&self, rules: &AggregateRules, now: Timestamp) -> Option<CompletedBy> {
        let (at, by) = self.due(rules)?;
        (at <= now).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn open(opened: i64, last: i64) -> OpenEpoch {
        OpenEpoch {
            last: at(last),
            ..OpenEpoch::single(Epoch::new(5), 10, at(opened))
        }
    }

    #[test]
    fn the_first_end_completes_by_its_own_rule() {
        let rules = AggregateRules {
            idle_ms: Some(100),
            at_most_ms: Some(250),
            ..AggregateRules::default()
        };
        let early = open(1_000, 1_100);
        assert_eq!(early.due(&rules), Some((at(1_200), CompletedBy::Idle)));
        let late = open(1_000, 1_200);
        assert_eq!(late.due(&rules), Some((at(1_250), CompletedBy::Age)));
        assert_eq!(late.due_by(&rules, at(1_249)), None);
        assert_eq!(late.due_by(&rules, at(1_250)), Some(CompletedBy::Age));
    }
}
