//! Where parts go.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use longshore_core::validate::check_parts;
use longshore_core::{
    AggregateInfo, AggregateName, AggregateRules, AggregateStore, Appended, Failure, IdOrigin,
    Label, Message, NameError, NewMessage, NewPart, StoreError, StoreErrorKind, Timestamp,
};
use serde::Serialize;
use tokio::sync::Notify;

use crate::Connection;

/// An aggregate of an open store. Cloning is cheap.
#[derive(Clone)]
pub struct Aggregate(Arc<Inner>);

struct Inner {
    name: AggregateName,
    rules: AggregateRules,
    connection: Connection,
    store: Arc<dyn AggregateStore>,
    /// Wakes the closer of this process.
    due: Notify,
    /// When the closer of this process will look, as far as that is known, by the store's clock in
    /// ms: what is due later wakes nobody.
    look: AtomicI64,
}

/// Aggregates that one call lists.
const PAGE: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

/// Why a part was not collected, or an aggregate not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AggregateError {
    /// The name or the key is not valid.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The rules make no sense.
    #[error("the rules of aggregate {name}: {wrong}")]
    Rules {
        /// The aggregate.
        name: AggregateName,
        /// What is wrong with them.
        wrong: String,
    },
    /// The part could not be written as JSON. Nothing was stored.
    #[error("the part could not be written as JSON: {0}; check how its type is serialised")]
    Encode(#[source] serde_json::Error),
    /// The store refused it or could not be asked; its effect tells which.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AggregateError {
    /// What it means for the message that was to be a part: a store that is away is not its fault and
    /// charges no attempt, and what no repeat would mend is permanent. Labels begin with `aggregate`.
    pub fn into_failure(self) -> Failure {
        let said = self.to_string();
        let (label, is_permanent) = match &self {
            Self::Name(_) => ("aggregate.key", true),
            Self::Encode(_) => ("aggregate.encode", true),
            Self::Rules { .. } => ("aggregate.rules", false),
            Self::Store(error) => match error.kind() {
                StoreErrorKind::Unavailable
                | StoreErrorKind::Timeout
                | StoreErrorKind::Overloaded
                | StoreErrorKind::Conflict => {
                    return Failure::away(&Label::lossy("aggregate.unavailable"), said);
                }
                StoreErrorKind::TooLarge | StoreErrorKind::InvalidInput => {
                    ("aggregate.refused", true)
                }
                _ => ("aggregate.refused", false),
            },
        };
        let failure = if is_permanent {
            Failure::permanent(said)
        } else {
            Failure::retryable(said)
        };
        failure.with_label(Label::lossy(label))
    }
}

impl Aggregate {
    /// The aggregate of a name under these rules.
    ///
    /// # Errors
    ///
    /// Rules that make no sense, or exceed what the store takes; a store that keeps no aggregates.
    pub fn open(
        connection: &Connection,
        name: impl AsRef<str>,
        rules: AggregateRules,
    ) -> Result<Self, AggregateError> {
        let name = AggregateName::new(name)?;
        let store = connection.backend().aggregates()?.clone();
        // Refused here once, and not for each message.
        let limits = connection.backend().queues.limits();
        let rules = match check_parts("open", rules, &[], &limits) {
            Ok(rules) => rules,
            Err(error) => {
                let wrong = error.message().to_owned();
                return Err(AggregateError::Rules { name, wrong });
            }
        };
        Ok(Self(Arc::new(Inner {
            name,
            rules,
            connection: connection.clone(),
            store,
            due: Notify::new(),
            look: AtomicI64::new(i64::MAX),
        })))
    }

    /// Its name.
    pub fn name(&self) -> &AggregateName {
        &self.0.name
    }

    /// The rules that epochs opened from here get.
    pub fn rules(&self) -> &AggregateRules {
        &self.0.rules
    }

    /// The connection it is on.
    pub fn connection(&self) -> &Connection {
        &self.0.connection
    }

    /// Its numbers; `None` before its first part.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn info(&self) -> Result<Option<AggregateInfo>, StoreError> {
        let mut after = None;
        loop {
            let page = self.0.store.list(after.as_ref(), PAGE).await?;
            let mut infos = page.items.into_iter();
            if let Some(info) = infos.find(|info| info.name == self.0.name) {
                return Ok(Some(info));
            }
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
    }

    pub(crate) fn store(&self) -> &Arc<dyn AggregateStore> {
        &self.0.store
    }

    pub(crate) fn due(&self) -> &Notify {
        &self.0.due
    }

    /// The closer looks now: when it will look again is not known.
    pub(crate) fn forget_look(&self) {
        self.0.look.store(i64::MAX, Ordering::Release);
    }

    /// The closer will look then, at the latest.
    pub(crate) fn looks_at(&self, next: Option<Timestamp>) {
        let at = next.map_or(i64::MAX, Timestamp::as_millis);
        self.0.look.fetch_min(at, Ordering::AcqRel);
    }

    /// Makes `body`, as JSON, a part under `key` of what `message` carries. A repeat of the delivery
    /// makes the same part again, which the store knows. Acknowledge the message after this.
    ///
    /// # Errors
    ///
    /// After an error whose effect is unknown, or any that may be retried, call it again.
    ///
    /// # Cancellation
    ///
    /// Dropping the future may or may not store the part.
    pub async fn collect<T: Serialize + ?Sized + Sync>(
        &self,
        message: &Message,
        key: impl AsRef<str> + Send,
        body: &T,
    ) -> Result<Appended, AggregateError> {
        let body = serde_json::to_vec(body).map_err(AggregateError::Encode)?;
        let part = self.part_of(message, key, body.into())?;
        let outcomes = self.append(&[part]).await?;
        Ok(outcomes.first().copied().unwrap_or(Appended::Duplicate))
    }

    /// The part that `message` makes under `key`, with this body: id, kind, headers and trace are those
    /// of the message. So one message is one part of an aggregate; where it is to be several, give
    /// each an id of its own that a rerun makes again
    /// ([`MessageId::derive`](crate::MessageId::derive)).
    pub fn part_of(
        &self,
        message: &Message,
        key: impl AsRef<str>,
        body: bytes::Bytes,
    ) -> Result<NewPart, NameError> {
        let key = longshore_core::AggregateKey::new(key)?;
        let mut new = NewMessage::new(message.id, IdOrigin::Given, message.kind.clone(), body);
        new.headers = message.headers.clone();
        new.trace.clone_from(&message.trace);
        Ok(NewPart {
            key,
            closing: false,
            position: message.enqueued_at,
            message: new,
        })
    }

    /// Stores parts; one outcome for each, in order.
    ///
    /// # Errors
    ///
    /// Those of the store. Repeating the call with the same ids is safe.
    pub async fn append(&self, parts: &[NewPart]) -> Result<Vec<Appended>, StoreError> {
        let inner = &*self.0;
        let appended = inner.store.append(&inner.name, &inner.rules, parts).await?;
        let at = appended.next.map_or(i64::MAX, Timestamp::as_millis);
        let is_sooner = inner.look.fetch_min(at, Ordering::AcqRel) > at;
        if appended.is_ready || is_sooner {
            inner.due.notify_one();
        }
        Ok(appended.outcomes)
    }
}

impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregate")
            .field("name", &self.0.name)
            .field("connection", &self.0.connection)
            .finish_non_exhaustive()
    }
}
