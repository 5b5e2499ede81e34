//! `dead redrive` and `dead discard`: what is asked, and the one call that differs.

use longshore::core::{Backend, Changed, Found, MessageId, QueueName, Result as StoreResult};

use crate::args::{DeadChangeArgs, DeadSelection};
use crate::parse::Rate;

/// What is done to dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Redrive,
    Discard,
}

/// What was asked.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) change: Change,
    pub(super) selection: DeadSelection,
    pub(super) rate: Option<Rate>,
    pub(super) dry_run: bool,
    pub(super) yes: bool,
}

impl Request {
    pub(super) fn new(change: Change, args: DeadChangeArgs) -> Self {
        Self {
            change,
            selection: args.selection,
            rate: args.rate,
            dry_run: args.dry_run,
            yes: args.yes,
        }
    }
}

impl Change {
    /// Does it to these.
    pub(super) async fn apply(
        self,
        backend: &Backend,
        queue: &QueueName,
        ids: &[MessageId],
    ) -> StoreResult<Vec<Changed>> {
        match self {
            Self::Redrive => backend.admin.redrive(queue, ids).await,
            Self::Discard => backend.admin.discard(queue, ids).await,
        }
    }

    /// What it would answer for a message that was found so.
    pub(super) fn would(self, found: &Found) -> Changed {
        match found {
            Found::Message(stored) if stored.dead().is_none() => Changed::NotFound,
            Found::Message(stored) if self == Self::Redrive && stored.message().is_none() => {
                Changed::Unreadable
            }
            Found::Message(_) => Changed::Applied,
            Found::NotFound => Changed::NotFound,
            _ => Changed::NotFoundWithinBound,
        }
    }

    /// The word for what was done.
    pub(super) const fn done(self) -> &'static str {
        match self {
            Self::Redrive => "redriven",
            Self::Discard => "discarded",
        }
    }
}
