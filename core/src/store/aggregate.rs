//! The store of aggregates.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    AggregateKey, AggregateName, AggregateRules, Appended, Changed, ClosedEpoch, Cursor, Epoch,
    EpochInfo, NewPart, Page, Part, Receipt, Result, Settled, Timestamp,
};

/// Parts collected under a correlation key, released once.
///
/// # Contract for implementers
///
/// - A part answered Stored ends in exactly one epoch, and leaves it released, dead, dropped by the
///   late rule or discarded: one of the counters of [`AggregateInfo`] counts it.
/// - A key has at most one open epoch. Closing is one atomic step that fixes the set of parts, what
///   completed it and the id of the message that it becomes.
/// - Nothing of an epoch is deleted before `finish` says what became of it. After that its parts'
///   ids and its key are known for the `remember` of its rules.
/// - Points in time are stored, spans are not: after a restart what remains of a time remains.
/// - No call waits for anything but the store, and none repeats itself; an error says whether the
///   call certainly had no effect.
#[async_trait]
pub trait AggregateStore: fmt::Debug + Send + Sync + 'static {
    /// Stores parts under the rules of an aggregate, which exists from then on. One outcome for
    /// each part, in order; they are judged in order, as if they came one by one. The store's clock
    /// decides when they came.
    ///
    /// Refused as a whole, with no effect: rules that make no sense, a part over a limit of the
    /// store or of the rules. After an unknown effect repeat it with the same ids.
    async fn append(
        &self,
        name: &AggregateName,
        rules: &AggregateRules,
        parts: &[NewPart],
    ) -> Result<Appends>;

    /// Closes what is due, and hands out up to `max` closed epochs and up to `max` questions, each
    /// to one worker until the lease ends or it is answered. Empty where the aggregate is not known.
    async fn turn(&self, name: &AggregateName, turn: Turn) -> Result<Turned>;

    /// The parts of an open or closed epoch, ordered by position, then by id. Empty where there is
    /// no such epoch. A page ends early where bodies are large.
    async fn parts(
        &self,
        name: &AggregateName,
        key: &AggregateKey,
        epoch: Epoch,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<Part>>;

    /// Answers questions. One outcome for each, in order: `LeaseLost` where the epoch is not open
    /// any more, or has more parts than were judged and was said to be complete.
    async fn answer(&self, name: &AggregateName, verdicts: &[Verdict]) -> Result<Vec<Settled>>;

    /// Says what became of closed epochs. One outcome for each, in order: `LeaseLost` where another
    /// worker was handed the epoch since, or it is gone.
    async fn finish(
        &self,
        name: &AggregateName,
        epochs: &[(Receipt, Fate)],
    ) -> Result<Vec<Settled>>;

    /// The aggregates by name.
    async fn list(&self, after: Option<&Cursor>, max: NonZeroU32) -> Result<Page<AggregateInfo>>;

    /// The open epochs of an aggregate by key, then the closed ones by number; of one key, if one is
    /// named. Empty where the aggregate is not known.
    async fn epochs(
        &self,
        name: &AggregateName,
        key: Option<&AggregateKey>,
        after: Option<&Cursor>,
        max: NonZeroU32,
    ) -> Result<Page<EpochInfo>>;

    /// Closes open epochs, or discards epochs that nobody is releasing. One outcome for each, in
    /// order: `Leased` where a worker has it, `NotFound` where there is none in a state that the
    /// change acts on.
    async fn change(
        &self,
        name: &AggregateName,
        epochs: &[(AggregateKey, Epoch, EpochChange)],
    ) -> Result<Vec<Changed>>;
}

/// What became of the parts of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appends {
    /// One for each part, in order.
    pub outcomes: Vec<Appended>,
    /// Whether a turn has something to do now because of them.
    pub is_ready: bool,
    /// When a turn has something to do because of them, if nothing else comes before.
    pub next: Option<Timestamp>,
}

impl Appends {
    /// An answer.
    pub fn new(outcomes: Vec<Appended>, is_ready: bool, next: Option<Timestamp>) -> Self {
        Self {
            outcomes,
            is_ready,
            next,
        }
    }
}

/// How to take a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// At most this many closed epochs, and as many questions.
    pub max: NonZeroU32,
    /// How long each is this worker's.
    pub lease: Duration,
}

/// What a turn gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Turned {
    /// Closed epochs to release, those closed first in front.
    pub closed: Vec<ClosedEpoch>,
    /// Epochs whose predicate is to be judged.
    pub questions: Vec<Question>,
    /// Whether more is to be done at once.
    pub more: bool,
    /// When the next turn has something to do, as far as is known now.
    pub next: Option<Timestamp>,
}

/// Whether an epoch is complete: for its predicate to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The correlation key.
    pub key: AggregateKey,
    /// The epoch.
    pub epoch: Epoch,
    /// How many parts it has now.
    pub parts: u32,
    /// Its rules, with the predicate.
    pub rules: Arc<AggregateRules>,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The correlation key.
    pub key: AggregateKey,
    /// The epoch.
    pub epoch: Epoch,
    /// How many parts were judged.
    pub parts: u32,
    /// What the predicate said of them.
    pub judged: Judged,
}

/// What a predicate said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Judged {
    /// It is complete.
    Complete,
    /// Not yet.
    NotYet,
    /// The predicate failed: it is not asked again for this epoch.
    Failed,
}

/// What became of a closed epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// Its message is stored.
    Released,
    /// It lies with all its parts in the dead letters.
    Dead,
    /// Not now: it is handed out again after so long.
    PutOff(Duration),
}

/// What a person does to an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EpochChange {
    /// Complete it now.
    Close,
    /// Remove it with its parts.
    Discard,
}

/// The numbers of an aggregate, all of parts but `open_epochs` and `closed_epochs`.
///
/// `accepted` is the sum of `open`, `closed`, `released`, `dead`, `dropped` and `discarded`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AggregateInfo {
    /// Its name.
    pub name: AggregateName,
    /// Stored, ever.
    pub accepted: u64,
    /// In open epochs.
    pub open: u64,
    /// In closed epochs.
    pub closed: u64,
    /// In messages that were released.
    pub released: u64,
    /// In dead letters, since they came late, did not fit or could not be folded.
    pub dead: u64,
    /// Dropped, since they came late.
    pub dropped: u64,
    /// Discarded by a person.
    pub discarded: u64,
    /// How many epochs are open.
    pub open_epochs: u64,
    /// How many epochs wait for their release.
    pub closed_epochs: u64,
    /// When a turn has something to do next: the least due time of its epochs.
    pub next: Option<Timestamp>,
    /// Stored here for another data centre, which does not have them yet; not in `accepted`.
    pub outgoing: u64,
    /// Since when the oldest of those waits.
    pub outgoing_since: Option<Timestamp>,
}

impl AggregateInfo {
    /// An aggregate in which nothing is.
    pub fn new(name: AggregateName) -> Self {
        Self {
            name,
            accepted: 0,
            open: 0,
            closed: 0,
            released: 0,
            dead: 0,
            dropped: 0,
            discarded: 0,
            open_epochs: 0,
            closed_epochs: 0,
            next: None,
            outgoing: 0,
            outgoing_since: None,
        }
    }

    /// Whether each part that was accepted is counted in one place.
    pub fn is_balanced(&self) -> bool {
        let places = [
            self.open,
            self.closed,
            self.released,
            self.dead,
            self.dropped,
            self.discarded,
        ];
        self.accepted == places.iter().sum::<u64>()
    }
}
