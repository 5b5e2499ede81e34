//! Why a worker cannot be built or run.

use std::time::Duration;

use longshore_core::{NameError, QueueName, StoreError};

/// Why a worker cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A queue, a kind or a label of a clause is not valid.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is nothing to do.
    #[error("the worker has no queue; name one with `queue`")]
    NoQueue,
    /// A queue without handlers.
    #[error("queue {0} has no handler; add one with `handle`")]
    NoHandler(QueueName),
    /// A queue was named twice.
    #[error("queue {0} is named twice; put its handlers into one `queue` call")]
    QueueTwice(QueueName),
    /// Two handlers of a queue take the same kind.
    #[error("queue {queue} has two handlers for {kind}; keep one")]
    KindTwice {
        /// The queue.
        queue: QueueName,
        /// The kind, or `every kind`.
        kind: String,
    },
    /// A number or a duration makes no sense.
    #[error("{0}")]
    Setting(String),
    /// The lease cannot be kept.
    #[error(
        "the lease of queue {queue} is {lease:?}, shorter than three times the {extend:?} that extending it may take; make it at least {least:?}"
    )]
    LeaseTooShort {
        /// The queue.
        queue: QueueName,
        /// Its lease.
        lease: Duration,
        /// How long an extension may take.
        extend: Duration,
        /// The shortest lease that can be kept.
        least: Duration,
    },
}

/// Why a run ended other than by being told to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The worker cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The store failed in a way that waiting does not mend. Running jobs were drained first.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of the worker's own panicked or ended; the rest was drained first. What the task had
    /// in hands comes back when its lease ends.
    #[error(
        "the part of the worker that {part} broke: {why}; the worker was stopped, start it again and report this"
    )]
    Broken {
        /// What the task does.
        part: &'static str,
        /// How it ended.
        why: String,
    },
    /// The signals of the system cannot be watched.
    #[error("signals cannot be watched: {0}; use `run_until` with a future of your own")]
    Signals(#[source] std::io::Error),
}
