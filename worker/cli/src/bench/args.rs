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
    /// Lifecycle where every message has a group
    Grouped,
    /// Many messages through one queue, round after round: the last rounds against the first
    Steady,
    /// A whole worker process with many slots that drains a queue, against the raw lifecycle
    Drain,
    /// What many idle worker processes cost a server
    Idle,
    /// What waiting messages take of a server's memory, and which keys stay behind
    Space,
    /// Parts of aggregates, ten to an epoch, against plain messages of the same store
    Aggregate,
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

    /// Worker processes; tasks, where the store lives in one process [default: 2; idle: 200]
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroU32>,

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

    /// grouped: how many groups the messages belong to, in turns
    #[arg(long, value_name = "N", default_value = "1000")]
    pub groups: NonZeroU32,

    /// drain: slots of the worker
    #[arg(long, value_name = "N", default_value = "128")]
    pub concurrency: NonZeroU32,

    /// flat: how many delayed messages and how many dead letters lie beside those that wait
    #[arg(long, value_name = "N", default_value = "100000")]
    pub beside: NonZeroU64,

    /// pickup and idle: how long to watch idle workers, in seconds
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
            Scenario::Grouped => 20_000,
            Scenario::Steady | Scenario::Aggregate => 50_000,
            Scenario::Drain => 200_000,
            Scenario::Space => 1_000_000,
            Scenario::Idle => 0,
            Scenario::Callers | Scenario::Flat => 1_600,
            Scenario::Pickup => 200,
        };
        self.messages.map_or(by_scenario, NonZeroU64::get)
    }

    /// How many rounds there are.
    pub(crate) fn rounds(&self) -> u32 {
        let by_scenario = match self.scenario {
            Scenario::Lifecycle | Scenario::Grouped => 7,
            Scenario::Drain | Scenario::Aggregate => 5,
            Scenario::Steady => 20,
            Scenario::Pickup | Scenario::Idle | Scenario::Space => 1,
            Scenario::Callers => 9,
            Scenario::Flat => 21,
            Scenario::Memory => 2,
        };
        self.rounds.map_or(by_scenario, NonZeroU32::get)
    }

    /// How many worker processes there are.
    pub(crate) fn workers(&self) -> u32 {
        let by_scenario = if self.scenario == Scenario::Idle {
            200
        } else {
            2
        };
        self.workers.map_or(by_scenario, NonZeroU32::get)
    }

    /// How long idle workers are watched.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.idle.get()))
    }
}
