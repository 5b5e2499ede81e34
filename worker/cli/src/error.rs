//! Why a command ends early: a sentence and an exit code.

use std::fmt;
use std::io;

use longshore::core::{NameError, StoreError};

use crate::exit::Exit;
use crate::output::escape;

/// The longest sentence printed, in characters.
const SENTENCE_MAX: usize = 2000;

/// The result of a verb and of its parts.
pub(crate) type Result<T, E = CliError> = std::result::Result<T, E>;

/// What went wrong, in one sentence for people and one number for scripts.
#[derive(Debug)]
pub(crate) struct CliError {
    exit: Exit,
    sentence: String,
}

impl CliError {
    /// An error that ends with `exit`; the sentence says cause and next step.
    pub(crate) fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self {
            exit,
            sentence: sentence.into(),
        }
    }

    /// The command line is wrong.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Usage, sentence)
    }

    /// What was named does not exist.
    pub(crate) fn nothing_matched(sentence: impl Into<String>) -> Self {
        Self::new(Exit::NothingMatched, sentence)
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Puts what was being done in front of the sentence.
    #[must_use]
    pub(crate) fn while_doing(mut self, what: impl fmt::Display) -> Self {
        self.sentence = format!("{what}: {}", self.sentence);
        self
    }

    /// Puts what is already done behind the sentence.
    #[must_use]
    pub(crate) fn and_so_far(mut self, done: impl fmt::Display) -> Self {
        self.sentence = format!("{}; {done}", self.sentence);
        self
    }

    /// Prints the sentence to stderr. A closed pipe has none: the reader is gone by choice.
    pub(crate) fn report(&self) {
        if self.exit != Exit::ClosedPipe {
            crate::output::complain(self);
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape::cut(&self.sentence, SENTENCE_MAX))
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::new(Exit::from(error.kind()), told(&error))
    }
}

impl From<NameError> for CliError {
    fn from(error: NameError) -> Self {
        Self::usage(error.to_string())
    }
}

/// The sentence for trouble with the store, with what was being done in words instead of the name
/// of the call.
pub(crate) fn told(error: &StoreError) -> String {
    let text = error.to_string();
    let Some(rest) = text.strip_prefix(&format!("{} failed: ", error.operation())) else {
        return text;
    };
    let doing = match error.operation() {
        // The code that opens a store says which one.
        "open" => return rest.to_owned(),
        "queues" => "listing the queues",
        "stats" => "reading the numbers of the queue",
        "settings" => "reading the settings of the queue",
        "dead_letters" => "listing the dead letters",
        "peek" => "looking into the queue",
        "find" => "looking for the message",
        "workers" => "listing the workers",
        "check" => "checking the store",
        other => other,
    };
    format!("{} failed: {rest}", doing.replace('_', " "))
}

/// Trouble with stdout: a reader that went away is no error to talk about.
pub(crate) fn of_stdout(error: &io::Error) -> CliError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => CliError::new(Exit::ClosedPipe, "stdout was closed"),
        _ => CliError::new(Exit::Failed, format!("stdout cannot be written: {error}")),
    }
}

/// Trouble with a file that the command line names.
pub(crate) fn of_file(path: &std::path::Path, error: &io::Error) -> CliError {
    let exit = match error.kind() {
        io::ErrorKind::NotFound => Exit::NothingMatched,
        io::ErrorKind::PermissionDenied => Exit::Denied,
        io::ErrorKind::IsADirectory => Exit::Usage,
        _ => Exit::Failed,
    };
    CliError::new(
        exit,
        format!("the file \"{}\" cannot be read: {error}", path.display()),
    )
}
