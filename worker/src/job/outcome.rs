//! How a job says what became of it.

use std::time::Duration;

use longshore_core::Failure;

/// What became of a job. It is all that decides what happens to the message.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is done: the message is acked.
    Done,
    /// It failed: the error policy decides.
    Failed(Failure),
    /// It was not worked: the message comes back after `delay`, the attempt is given back.
    Release {
        /// How long to wait.
        delay: Duration,
    },
}

/// What a handler may return: nothing, an [`Outcome`], or a `Result` of these.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    note = "return `()`, `Result<(), E>` where `E` is an error or a `Failure`, or an `Outcome`"
)]
pub trait IntoOutcome {
    /// Turns it into an outcome.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Outcome {
        Outcome::Done
    }
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Outcome {
        self
    }
}

impl<T: IntoOutcome, E: Into<Failure>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Outcome {
        match self {
            Ok(value) => value.into_outcome(),
            Err(error) => Outcome::Failed(error.into()),
        }
    }
}
