//! What a worker is told and what it answers.

use serde::{Deserialize, Serialize};

use crate::bench::load::Load;
use crate::bench::meter::{Moment, Span};
use crate::bench::tally::Tally;
use crate::error::CliError;
use crate::exit::Exit;

/// What to do. One JSON line each, where the worker is a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Enqueue the messages `from` to `to`, batch by batch. Answer: [`Said::Filled`].
    Fill {
        /// Which messages.
        load: Load,
        /// The first.
        from: u64,
        /// Behind the last.
        to: u64,
        /// How many in a call.
        batch: u32,
        /// How many calls at a time.
        under_way: u32,
    },
    /// Receive and ack until nothing is left. Answer: [`Said::Drained`].
    Drain {
        /// Which messages to expect.
        load: Load,
        /// How many there are, all workers together.
        messages: u64,
        /// How many in a call.
        batch: u32,
    },
    /// Receive and ack what comes until [`Order::Stop`]. Answers: [`Said::Taken`] each.
    Serve {
        /// Which messages to expect.
        load: Load,
        /// How many in a call at most.
        batch: u32,
    },
    /// Run a whole worker, each job decoded and handled, until it has done `messages`. Answers:
    /// [`Said::Drained`].
    Work {
        /// Which messages to expect.
        load: Load,
        /// How many there are.
        messages: u64,
        /// How many jobs at a time.
        concurrency: u32,
    },
    /// Run a whole worker until [`Order::Stop`]. Answers: [`Said::Taken`] from each job.
    Attend {
        /// Which messages to expect.
        load: Load,
    },
    /// End what runs. Answer: [`Said::Stopped`].
    Stop,
    /// Say what the process has used. Answer: [`Said::Usage`].
    Usage,
}

/// What a worker answers. One JSON line each, where it is a process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// The store is open.
    Ready,
    /// The messages are stored.
    Filled {
        /// When that ran.
        span: Span,
    },
    /// Nothing is left.
    Drained {
        /// When that ran.
        span: Span,
        /// What came out.
        tally: Tally,
        /// 99 of 100 batches were received and settled within so many µs; 0 where jobs are worked.
        slow_us: u64,
    },
    /// A message came out.
    Taken {
        /// Which one; `None` if it is not of this run.
        number: Option<u64>,
        /// When the worker had it.
        at: Moment,
        /// When its ack was applied; `None` where that was not watched.
        settled: Option<Moment>,
    },
    /// What ran has ended.
    Stopped,
    /// What the process has used since it began.
    Usage {
        /// Its processor time in nanoseconds.
        processor_ns: u64,
        /// The most memory it had resident, in bytes.
        peak_bytes: Option<u64>,
        /// When this was read.
        at: Moment,
    },
    /// It could not be done.
    Failed {
        /// The sentence that says why.
        sentence: String,
    },
}

impl Said {
    /// The error of an answer that does not fit the order.
    pub(crate) fn unexpected(&self) -> CliError {
        CliError::new(
            Exit::Failed,
            format!("a worker of the bench answered out of turn: {self:?}"),
        )
    }
}

impl From<CliError> for Said {
    fn from(error: CliError) -> Self {
        Self::Failed {
            sentence: error.to_string(),
        }
    }
}
