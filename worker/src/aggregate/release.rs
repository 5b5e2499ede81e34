//! What becomes of closed epochs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{
    ClosedEpoch, Failure, IdOrigin, JobKind, Label, Message, NameError, NewMessage, QueueName,
    StoreError, StoreErrorKind,
};

use super::{Aggregate, Fold, Folding};

/// Says whether an epoch is complete, by the predicate in its rules.
pub trait Judge: fmt::Debug + Send + Sync + 'static {
    /// Judges the parts so far, ordered by position and id.
    ///
    /// # Errors
    ///
    /// The predicate is not asked again for that epoch, which completes by its other rules.
    fn is_complete(&self, predicate: &str, parts: &[Message]) -> Result<bool, Failure>;
}

/// How a worker releases the closed epochs of an aggregate: folded into one body, as one message in a
/// queue of the same store.
#[derive(Clone, Debug)]
pub struct Release {
    pub(crate) aggregate: Aggregate,
    pub(crate) to: QueueName,
    pub(crate) fold: Arc<dyn Fold>,
    pub(crate) judge: Option<Arc<dyn Judge>>,
    kind: Option<JobKind>,
    /// How long a fold, or a judgement, may take.
    pub(crate) timeout: Duration,
    /// Its dead letters.
    pub(crate) dead: QueueName,
    /// Whether an epoch with damaged parts waits for them.
    pub(crate) waits_for_damaged: bool,
}

impl Release {
    /// How long a fold may take where nothing else is said.
    pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

    /// Releases into this queue, as a JSON array of the bodies.
    pub fn to(aggregate: &Aggregate, queue: impl AsRef<str>) -> Result<Self, NameError> {
        Ok(Self {
            aggregate: aggregate.clone(),
            to: QueueName::new(queue)?,
            fold: Arc::new(Folding::Array),
            judge: None,
            kind: None,
            timeout: Self::TIMEOUT_DEFAULT,
            dead: QueueName::new(format!("aggregate.{}", aggregate.name()))?,
            waits_for_damaged: false,
        })
    }

    /// Folds the parts this way.
    #[must_use]
    pub fn fold(mut self, fold: impl Fold) -> Self {
        self.fold = Arc::new(fold);
        self
    }

    /// Gives the message this kind instead of that of the first part.
    #[must_use]
    pub fn kind(mut self, kind: JobKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Lets a fold or a judgement take this long. A fold that takes longer goes with its parts to the
    /// dead letters; its thread cannot be stopped and runs to its end. Default 10 s.
    ///
    /// The epoch is this worker's for 10 s more: so long it takes until another one has it, should this
    /// one die.
    #[must_use]
    pub fn timeout(mut self, span: Duration) -> Self {
        self.timeout = span;
        self
    }

    /// Holds an epoch back as long as one of its parts cannot be read, instead of setting that part
    /// aside and releasing the others. It is looked at again after 1 s up to 1 min, until the part is
    /// mended in the store, or the epoch is discarded.
    #[must_use]
    pub fn wait_for_damaged(mut self) -> Self {
        self.waits_for_damaged = true;
        self
    }

    /// Judges the predicate of the rules this way.
    #[must_use]
    pub fn judge(mut self, judge: impl Judge) -> Self {
        self.judge = Some(Arc::new(judge));
        self
    }

    /// Folds parts into the message of an epoch. Blocks as long as the fold does.
    pub(crate) fn message(&self, of: &EpochName, parts: &[Message]) -> Result<NewMessage, Failure> {
        let body = self.fold.fold(parts)?;
        let first = parts.first();
        let kind = self.kind.clone().or(first.map(|part| part.kind.clone()));
        let mut message = NewMessage::new(of.id, IdOrigin::Given, kind.unwrap_or_default(), body);
        message.trace = first.and_then(|part| part.trace.clone());
        for (name, value) in of.headers(parts.len()) {
            message.headers.insert(name, value);
        }
        Ok(message)
    }

    /// What it means for an epoch that its queue did not take the message: `None` where waiting mends
    /// it.
    pub(crate) fn refusal(&self, error: &StoreError) -> Option<Failure> {
        let is_its_fault = matches!(
            error.kind(),
            StoreErrorKind::TooLarge | StoreErrorKind::InvalidInput
        );
        is_its_fault.then(|| {
            let said = format!("the queue {} does not take the message: {error}", self.to);
            Failure::permanent(said).with_label(Label::lossy("aggregate.output"))
        })
    }
}

/// What names an epoch in its message.
#[derive(Clone, Debug)]
pub(crate) struct EpochName {
    pub(crate) id: longshore_core::MessageId,
    pub(crate) aggregate: String,
    pub(crate) key: String,
    pub(crate) epoch: u64,
    pub(crate) by: String,
}

impl EpochName {
    pub(crate) fn of(aggregate: &Aggregate, closed: &ClosedEpoch) -> Self {
        Self {
            id: closed.id,
            aggregate: aggregate.name().to_string(),
            key: closed.info.key.to_string(),
            epoch: closed.info.epoch.number(),
            by: closed.by.as_str().to_owned(),
        }
    }

    /// For people and for the next step; nothing here reads them.
    fn headers(&self, parts: usize) -> [(&'static str, String); 5] {
        [
            ("aggregate", self.aggregate.clone()),
            ("aggregate-key", self.key.clone()),
            ("aggregate-epoch", self.epoch.to_string()),
            ("aggregate-completed-by", self.by.clone()),
            ("aggregate-parts", parts.to_string()),
        ]
    }
}
