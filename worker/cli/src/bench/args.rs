//! The arguments of `longshore bench`.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scenario {
    /// Bulk enqueue, receive+settle by competing workers and end to end latencies
    Lifecycle,
    /// Single enqueues of many concurrent callers against those of one
    Callers,
    /// Cost of a message with few and with many waiting, and behind a busy group
    Flat,
    /// How fast an idle worker takes a message, and what it costs while idle
    Pickup,
    /// Memory and rate of a whole worker process that drains a queue
    Memory,
}

/// Measure a store against the raw floor of its own driver
///
/// Works on scratch data beside the place the URL names and removes it; the store itself is
/// never opened. Every ratio compares two runs of the same minute on the same machine, taken in
/// turns: its median over the rounds is shown with the lowest and the highest.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  longshore bench
  longshore bench --scenario callers --json
  longshore --store 'sqlite://./longshore.db?sync=normal' bench --messages 100000 --workers 4")]
pub(crate) struct BenchArgs {
    /// What to measure
    #[arg(long, value_enum, default_value_t = Scenario::Lifecycle)]
    pub scenario: Scenario,

    /// Messages of each round [default: by scenario]
    #[arg(long, value_name = "N")]
    pub messages: Option<NonZeroU64>,

    /// Bytes of each body
    #[arg(long, value_name = "BYTES", default_value_t = 256)]
    pub body: usize,

    /// Worker processes (tasks, where the store lives in one process)
    #[arg(long, value_name = "N", default_value = "2")]
    pub workers: NonZeroU32,

    /// Messages of one receive and one settle
    #[arg(long, value_name = "N", default_value = "32")]
    pub batch: NonZeroU32,

    /// Messages of one enqueue; 1000 is what `enqueue_batch` of the library sends at a time
    #[arg(long, value_name = "N", default_value = "1000")]
    pub enqueue_batch: NonZeroU32,

    /// Rounds to take the median of [default: by scenario]
    #[arg(long, value_name = "N")]
    pub rounds: Option<NonZeroU32>,

    /// lifecycle: messages a second of the open loop
    #[arg(long, value_name = "N", default_value = "100")]
    pub rate: NonZeroU32,

    /// callers: how many enqueue at a time
    #[arg(long, value_name = "N", default_value = "64")]
    pub callers: NonZeroU32,

    /// flat: how many messages wait where many wait
    #[arg(long, value_name = "N", default_value = "1000000")]
    pub waiting: NonZeroU64,

    /// pickup: how long to watch the idle worker, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    pub idle: NonZeroU32,

    /// A worker process of a bench: takes orders on its input
    #[arg(long, hide = true)]
    pub child: bool,
}

impl BenchArgs {
    /// How many messages go in one enqueue, and in one receive.
    pub(crate) fn batches(&self) -> (u32, u32) {
        (self.enqueue_batch.get(), self.batch.get())
    }

    /// How many messages a round has.
    pub(crate) fn messages(&self) -> u64 {
        let by_scenario = match self.scenario {
            Scenario::Lifecycle | Scenario::Memory => 100_000,
            Scenario::Callers | Scenario::Flat => 1_600,
            Scenario::Pickup => 200,
        };
        self.messages.map_or(by_scenario, NonZeroU64::get)
    }

    /// How many rounds there are.
    pub(crate) fn rounds(&self) -> u32 {
        let by_scenario = match self.scenario {
            Scenario::Lifecycle => 7,
            Scenario::Callers => 9,
            Scenario::Flat => 21,
            Scenario::Pickup => 1,
            Scenario::Memory => 2,
        };
        self.rounds.map_or(by_scenario, NonZeroU32::get)
    }

    /// How long the idle worker is watched.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.idle.get()))
    }
}
