//! The number of an epoch, what completed it, and the id of its message.

use serde::{Deserialize, Serialize};

use crate::{AggregateKey, AggregateName, MessageId, Timestamp};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
