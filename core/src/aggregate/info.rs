//! An epoch: one collection under a key, as it is seen and handed out.

use std::sync::Arc;

use crate::{
    AggregateKey, AggregateRules, CompletedBy, Epoch, MessageId, OpenEpoch, Receipt, Timestamp,
};

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
