//! An epoch: one collection under a key.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    AggregateKey, AggregateName, AggregateRules, MessageId, OpenEpoch, Receipt, Timestamp,
};

/// The number of an epoch. It grows, and none comes twice under a key of an aggregate: the id of
/// the released message is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u64);

impl Epoch {
    /// Before the first one.
    pub const NONE: Self = Self(0);

    /// The epoch of a number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one that opens at `now` behind this one. It is never less than the milliseconds of the
    /// clock, so that a store which lost its last rows does not use a number again.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        let now = u64::try_from(now.as_millis()).unwrap_or(0);
        Self(self.0.saturating_add(1).max(now))
    }
}

impl std::fmt::Display for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// What completed an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CompletedBy {
    /// It had its number of parts.
    Size,
    /// It had its bytes.
    Bytes,
    /// No part came for so long.
    Idle,
    /// It was open for so long.
    Age,
    /// The interval ended.
    Interval,
    /// The predicate was true of it.
    Predicate,
    /// A part said that it was the last.
    Closing,
    /// A person closed it.
    Force,
    /// The next part did not fit; or, of a single part that was set aside, it did not fit itself.
    Full,
    /// The key was closed before: a single part that was set aside.
    Late,
}

impl CompletedBy {
    const ALL: [Self; 10] = [
        Self::Size,
        Self::Bytes,
        Self::Idle,
        Self::Age,
        Self::Interval,
        Self::Predicate,
        Self::Closing,
        Self::Force,
        Self::Full,
        Self::Late,
    ];

    /// The word in headers, lists and stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Bytes => "bytes",
            Self::Idle => "idle",
            Self::Age => "age",
            Self::Interval => "interval",
            Self::Predicate => "predicate",
            Self::Closing => "closing",
            Self::Force => "force",
            Self::Full => "full",
            Self::Late => "late",
        }
    }

    /// The one of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// Where an epoch is in its life. Released ones are only remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EpochState {
    /// It takes parts.
    Open {
        /// When it completes by time, if no part comes before.
        due: Option<Timestamp>,
    },
    /// It is complete and waits for its release.
    Closed {
        /// What completed it.
        by: CompletedBy,
        /// Since when.
        at: Timestamp,
        /// A worker has it until then.
        leased_until: Option<Timestamp>,
        /// Whether it is one part that was set aside for the dead letters.
        is_set_aside: bool,
    },
}

/// What there is to know of an epoch, besides its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EpochInfo {
    /// The correlation key.
    pub key: AggregateKey,
    /// Its number.
    pub epoch: Epoch,
    /// Where it is in its life.
    pub state: EpochState,
    /// How many parts it has.
    pub parts: u32,
    /// How many bytes their bodies have together.
    pub bytes: u64,
    /// When the first part came.
    pub opened_at: Timestamp,
    /// When the last part came.
    pub last_at: Timestamp,
    /// The rules that hold for it.
    pub rules: Arc<AggregateRules>,
}

impl EpochInfo {
    /// An epoch of these numbers.
    pub fn new(
        key: AggregateKey,
        numbers: &OpenEpoch,
        rules: Arc<AggregateRules>,
        state: EpochState,
    ) -> Self {
        Self {
            key,
            epoch: numbers.epoch,
            state,
            parts: numbers.parts,
            bytes: numbers.bytes,
            opened_at: numbers.opened,
            last_at: numbers.last,
            rules,
        }
    }

    /// An open epoch.
    pub fn open(key: AggregateKey, open: &OpenEpoch, rules: Arc<AggregateRules>) -> Self {
        let due = open.due(&rules).map(|(at, _)| at);
        Self::new(key, open, rules, EpochState::Open { due })
    }

    /// How many parts are missing, where a size is known and it is still open.
    pub fn missing(&self) -> Option<u32> {
        match self.state {
            EpochState::Open { .. } => Some(self.rules.size?.saturating_sub(self.parts)),
            EpochState::Closed { .. } => None,
        }
    }
}

/// A closed epoch in the hands of one worker, to be released.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosedEpoch {
    /// The epoch.
    pub info: EpochInfo,
    /// What completed it.
    pub by: CompletedBy,
    /// Whether it is one part that was set aside for the dead letters.
    pub is_set_aside: bool,
    /// The id of the message that it becomes: the same however often it is handed out.
    pub id: MessageId,
    /// The proof of this hand-out.
    pub receipt: Receipt,
}

impl ClosedEpoch {
    /// A hand-out.
    pub fn new(
        info: EpochInfo,
        by: CompletedBy,
        is_set_aside: bool,
        id: MessageId,
        receipt: Receipt,
    ) -> Self {
        Self {
            info,
            by,
            is_set_aside,
            id,
            receipt,
        }
    }
}

/// The id of the message that an epoch becomes. `generation` tells an aggregate from an earlier
/// one of the same name.
pub fn epoch_id(
    name: &AggregateName,
    generation: u64,
    key: &AggregateKey,
    epoch: Epoch,
) -> MessageId {
    MessageId::from_content(&[
        b"aggregate",
        name.as_str().as_bytes(),
        &generation.to_le_bytes(),
        key.as_str().as_bytes(),
        &epoch.number().to_le_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_grow_and_never_fall_behind_the_clock() {
        let at = |millis| Timestamp::from_millis(millis);
        let first = Epoch::NONE.next(at(1_000));
        assert_eq!(first.number(), 1_000);
        assert_eq!(first.next(at(1_000)).number(), 1_001);
        assert_eq!(first.next(at(500)).number(), 1_001);
        assert_eq!(first.next(at(9_000)).number(), 9_000);
    }

    #[test]
    fn words_are_read_back() {
        for one in CompletedBy::ALL {
            assert_eq!(CompletedBy::of(one.as_str()), Some(one));
        }
        assert_eq!(CompletedBy::of("timeout"), None);
    }

    #[test]
    fn ids_are_stable_and_differ_by_every_part_of_the_name() {
        let name = |text: &str| AggregateName::new(text).unwrap();
        let key = |text: &str| AggregateKey::new(text).unwrap();
        let id = epoch_id(&name("orders"), 7, &key("ann"), Epoch::new(9));
        // Released messages carry it: this value must never change.
        assert_eq!(id.to_string(), "501c9e04-b0db-8131-aa66-00ce93719402");
        for other in [
            epoch_id(&name("order"), 7, &key("ann"), Epoch::new(9)),
            epoch_id(&name("orders"), 8, &key("ann"), Epoch::new(9)),
            epoch_id(&name("orders"), 7, &key("anna"), Epoch::new(9)),
            epoch_id(&name("orders"), 7, &key("ann"), Epoch::new(10)),
        ] {
            assert_ne!(id, other);
        }
    }
}
