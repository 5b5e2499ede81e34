//! Errors of a store call.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The result of a store call.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What kind of trouble it is. Callers act on this; the text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store cannot be reached.
    Unavailable,
    /// The deadline passed.
    Timeout,
    /// The store or the queue is full or too busy: try again later.
    Overloaded,
    /// Another writer was in the way.
    Conflict,
    /// What was named does not exist.
    NotFound,
    /// The arguments are wrong.
    InvalidInput,
    /// A body or batch is over a limit.
    TooLarge,
    /// The store (or this build) cannot do it.
    Unsupported,
    /// Stored data is damaged or foreign.
    Corrupt,
    /// The store refuses for lack of rights.
    Denied,
    /// The store or the URL is set up wrongly.
    Misconfigured,
    /// Anything else. Never guessed retryable.
    Unexpected,
}

impl StoreErrorKind {
    /// The word for logs, metrics and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Conflict => "conflict",
            Self::NotFound => "not found",
            Self::InvalidInput => "invalid input",
            Self::TooLarge => "too large",
            Self::Unsupported => "unsupported",
            Self::Corrupt => "corrupt",
            Self::Denied => "denied",
            Self::Misconfigured => "misconfigured",
            Self::Unexpected => "unexpected",
        }
    }
}

/// Whether a failed call may have changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Certainly not: a promise.
    NotApplied,
    /// It may have: never treat it as failed.
    Unknown,
}

/// Why a store call failed. One word in size; the details are boxed.
pub struct StoreError(Box<Details>);

struct Details {
    kind: StoreErrorKind,
    effect: Effect,
    operation: &'static str,
    message: String,
    context: Vec<(&'static str, String)>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// An error of `operation` that certainly had no effect; `message` says what happened and,
    /// where there is one, the next step.
    pub fn new(kind: StoreErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            effect: Effect::NotApplied,
            operation,
            message: message.into(),
            context: Vec::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// The arguments are wrong.
    pub fn invalid_input(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::InvalidInput, operation, message)
    }

    /// The store or this build cannot do it.
    pub fn unsupported(operation: &'static str, message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Unsupported, operation, message)
    }

    /// Says that the call may have had an effect.
    #[must_use]
    pub fn effect_unknown(mut self) -> Self {
        self.0.effect = Effect::Unknown;
        self
    }

    /// Adds what it was about, such as `queue` and a name. Never a secret.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Says when it makes sense to try again.
    #[must_use]
    pub fn retry_after(mut self, span: Duration) -> Self {
        self.0.retry_after = Some(span);
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> StoreErrorKind {
        self.0.kind
    }

    /// Whether it may have changed something.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// Which call it was.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// What happened, without the context.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// When it makes sense to try again, if the store said so.
    pub fn retry_hint(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            StoreErrorKind::Unavailable
                | StoreErrorKind::Timeout
                | StoreErrorKind::Overloaded
                | StoreErrorKind::Conflict
        )
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let details = &self.0;
        write!(f, "{} failed: {}", details.operation, details.message)?;
        for (key, value) in &details.context {
            write!(f, ", {key}={value}")?;
        }
        if details.effect == Effect::Unknown {
            f.write_str(", effect=unknown")?;
        }
        Ok(())
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreError({}: {self}", self.0.kind.as_str())?;
        let mut source = self.source();
        while let Some(cause) = source {
            write!(f, "; caused by: {cause}")?;
            source = cause.source();
        }
        f.write_str(")")
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_word_and_says_what_is_unknown() {
        assert_eq!(size_of::<StoreError>(), size_of::<usize>());
        let error = StoreError::new(StoreErrorKind::Timeout, "settle", "no answer in 5 s")
            .with("queue", "mail")
            .with("batch", 64)
            .effect_unknown();
        assert_eq!(
            error.to_string(),
            "settle failed: no answer in 5 s, queue=mail, batch=64, effect=unknown"
        );
        assert!(error.is_retryable());
    }
}
