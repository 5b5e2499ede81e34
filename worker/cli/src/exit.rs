//! Exit codes: the one place that says which trouble ends with which number.

use std::process::ExitCode;

use longshore::core::StoreErrorKind;

/// How a command ends, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All that was asked is done.
    Done,
    /// It failed in a way that has no number of its own.
    Failed,
    /// The command line is wrong: names, limits, receipts included.
    Usage,
    /// There is no such queue or message, or nothing to receive.
    NothingMatched,
    /// Some of the items were refused or had lost their lease.
    Partial,
    /// A check found problems.
    Problems,
    /// The store cannot be reached or does not answer.
    Unavailable,
    /// Stored data is damaged or foreign.
    Damaged,
    /// The store is full or busy: the same command may work later.
    TryAgain,
    /// No rights.
    Denied,
    /// A setting, a URL or a route file is wrong.
    Misconfigured,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// SIGHUP: the terminal is gone.
    HungUp,
    /// SIGQUIT.
    Quit,
    /// The reader of stdout went away.
    ClosedPipe,
}

impl Exit {
    /// The number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NothingMatched => 3,
            Self::Partial => 4,
            Self::Problems => 5,
            Self::Unavailable => 69,
            Self::Damaged => 70,
            Self::TryAgain => 75,
            Self::Denied => 77,
            Self::Misconfigured => 78,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Quit => 131,
            // What a shell shows of a process that SIGPIPE ended.
            Self::ClosedPipe => 141,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<StoreErrorKind> for Exit {
    fn from(kind: StoreErrorKind) -> Self {
        match kind {
            StoreErrorKind::Unavailable | StoreErrorKind::Timeout => Self::Unavailable,
            StoreErrorKind::Overloaded | StoreErrorKind::Conflict => Self::TryAgain,
            StoreErrorKind::NotFound => Self::NothingMatched,
            StoreErrorKind::InvalidInput | StoreErrorKind::TooLarge => Self::Usage,
            StoreErrorKind::Corrupt => Self::Damaged,
            StoreErrorKind::Denied => Self::Denied,
            StoreErrorKind::Misconfigured | StoreErrorKind::Unsupported => Self::Misconfigured,
            // `Unexpected`, and kinds that a later version adds.
            _ => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_store_error_has_its_documented_code() {
        let table = [
            (StoreErrorKind::Unavailable, 69),
            (StoreErrorKind::Timeout, 69),
            (StoreErrorKind::Overloaded, 75),
            (StoreErrorKind::Conflict, 75),
            (StoreErrorKind::NotFound, 3),
            (StoreErrorKind::InvalidInput, 2),
            (StoreErrorKind::TooLarge, 2),
            (StoreErrorKind::Unsupported, 78),
            (StoreErrorKind::Corrupt, 70),
            (StoreErrorKind::Denied, 77),
            (StoreErrorKind::Misconfigured, 78),
            (StoreErrorKind::Unexpected, 1),
        ];
        for (kind, code) in table {
            assert_eq!(Exit::from(kind).code(), code, "{kind:?}");
        }
    }
}
