//! How a handler says that a job failed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::Label;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// Trying again may help.
    Retryable,
    /// Trying again cannot help: dead-lettered at once unless a clause says otherwise.
    Permanent,
    /// The body is not what the handler takes. Permanent.
    Decode,
    /// The handler panicked.
    Panic,
    /// The job ran past its timeout.
    TimedOut,
    /// What it needs is away: released uncharged unless a clause charges it.
    Away,
}

/// Why a job failed. Any error becomes a retryable one through `?`, which is why this type is
/// not an `Error` itself.
pub struct Failure {
    class: FailureClass,
    label: Label,
    message: String,
    retry_after: Option<Duration>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    fn of(class: FailureClass, label: &str, message: impl Into<String>) -> Self {
        Self {
            class,
            label: Label::lossy(label),
            message: message.into(),
            retry_after: None,
            source: None,
        }
    }

    /// A failure that trying again may mend. Label `handler`.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self::of(FailureClass::Retryable, "handler", message)
    }

    /// A failure that trying again cannot mend. Label `handler`.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::of(FailureClass::Permanent, "handler", message)
    }

    /// The body is not what the handler takes. Label `decode`.
    pub fn decode(message: impl Into<String>) -> Self {
        Self::of(FailureClass::Decode, "decode", message)
    }

    /// The handler panicked. Label `panic`.
    pub fn panic(message: impl Into<String>) -> Self {
        Self::of(FailureClass::Panic, "panic", message)
    }

    /// The job ran past its timeout. Label `timeout`.
    pub fn timed_out(after: Duration) -> Self {
        Self::of(
            FailureClass::TimedOut,
            "timeout",
            format!("not done after {after:?}"),
        )
    }

    /// What the job needs is away (a destination store): not the message's fault.
    pub fn away(label: &Label, message: impl Into<String>) -> Self {
        Self::of(FailureClass::Away, label.as_str(), message)
    }

    /// Names the failure for policies; a handler's own label goes below `handler.`.
    #[must_use]
    pub fn label(mut self, label: impl AsRef<str>) -> Self {
        let label = label.as_ref();
        self.label = Label::lossy(format!("handler.{label}"));
        self
    }

    /// Names the failure with exactly this label: for steps, which have labels of their own.
    #[must_use]
    pub fn with_label(mut self, label: Label) -> Self {
        self.label = label;
        self
    }

    /// Asks for at least this delay before the next attempt.
    #[must_use]
    pub fn retry_after(mut self, span: Duration) -> Self {
        self.retry_after = Some(span);
        self
    }

    /// What kind it is.
    pub fn class(&self) -> FailureClass {
        self.class
    }

    /// Its label.
    pub fn labelled(&self) -> &Label {
        &self.label
    }

    /// The delay it asks for.
    pub fn retry_hint(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether trying again cannot help.
    pub fn is_permanent(&self) -> bool {
        matches!(self.class, FailureClass::Permanent | FailureClass::Decode)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut failure = Self::retryable(error.to_string());
        failure.source = Some(Box::new(error));
        failure
    }
}

/// The message and its causes in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut cause = self.source.as_ref().and_then(|source| source.source());
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({:?}, {}: {self})", self.class, self.label)
    }
}
