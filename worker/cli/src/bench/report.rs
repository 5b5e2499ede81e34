//! What a bench answers: every figure with what it is compared with and how it was made.

use serde::Serialize;

use super::args::{BenchArgs, Scenario};
use super::latency::LatencySummary;
use super::place::Place;
use super::ratio::{Pairs, Ratio};
use super::tally::Check;

/// One run of a bench.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// What was measured.
    pub scenario: Scenario,
    /// With what.
    pub settings: Settings,
    /// Rates and costs beside what they are compared with.
    pub ratios: Vec<Comparison>,
    /// Latencies.
    pub latencies: Vec<LatencySummary>,
    /// Single figures.
    pub figures: Vec<Figure>,
    /// Whether every message came out exactly once.
    pub check: Check,
}

impl Report {
    /// Nothing measured yet.
    pub(crate) fn new(args: &BenchArgs, url: &str, place: &Place) -> Self {
        Self {
            scenario: args.scenario,
            settings: Settings::of(args, url, place),
            ratios: Vec::new(),
            latencies: Vec::new(),
            figures: Vec::new(),
            check: Check::default(),
        }
    }
}

/// What a figure depends on: figures of different settings cannot be compared.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Settings {
    /// The scheme of the store.
    pub store: String,
    /// The settings in its URL; empty means its defaults.
    pub query: String,
    /// What its file system is; `None` for a store in memory or where the system does not tell.
    pub file_system: Option<String>,
    /// Messages of a round.
    pub messages: u64,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Messages of a receive and of a settle.
    pub batch: u32,
    /// Messages of an enqueue.
    pub enqueue_batch: u32,
    /// Worker processes or tasks.
    pub workers: u32,
    /// Rounds.
    pub rounds: u32,
    /// Processors this process may use.
    pub cores: usize,
    /// How many tasks of the whole machine wanted a processor in the minute before; `None` where
    /// the system does not tell.
    pub load: Option<f64>,
    /// The version of this program.
    pub version: &'static str,
    /// `release`, or `debug`: figures of a debug build say nothing about the store.
    pub build: &'static str,
}

impl Settings {
    fn of(args: &BenchArgs, url: &str, place: &Place) -> Self {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        Self {
            store: base.split("://").next().unwrap_or_default().to_owned(),
            query: query.to_owned(),
            file_system: place.folder().and_then(super::meter::file_system),
            messages: args.messages(),
            body_bytes: args.body,
            batch: args.batch.get(),
            enqueue_batch: args.enqueue_batch.get(),
            workers: args.workers(),
            rounds: args.rounds(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load: super::meter::load(),
            version: env!("CARGO_PKG_VERSION"),
            build: if cfg!(debug_assertions) {
                "debug"
            } else {
                "release"
            },
        }
    }
}

impl Settings {
    /// Whether others used the machine: then times say little. More workers get more of a busy
    /// machine, and the disk answers to everyone.
    pub(crate) fn is_busy(&self) -> bool {
        self.load.is_some_and(|load| load > 0.5 * self.cores as f64)
    }
}

/// Two things measured in turns.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Comparison {
    /// What was measured.
    pub name: &'static str,
    /// Its median.
    pub value: f64,
    /// What it is compared with.
    pub against: &'static str,
    /// The median of that.
    pub against_value: f64,
    /// The unit of both.
    pub unit: &'static str,
    /// `value` by `against_value`, taken within each round.
    pub ratio: Ratio,
    /// What the ratio should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

impl Comparison {
    /// The rounds of `name` beside `against`.
    pub(crate) fn of(
        name: &'static str,
        against: &'static str,
        unit: &'static str,
        pairs: &Pairs,
    ) -> Self {
        let summary = pairs.summary();
        Self {
            name,
            value: summary.subject,
            against,
            against_value: summary.other,
            unit,
            ratio: summary.ratio,
            goal: None,
        }
    }

    /// Sets what the ratio should be, if there is a goal for it.
    #[must_use]
    pub(crate) fn goal(mut self, goal: impl Into<Option<Goal>>) -> Self {
        self.goal = goal.into();
        self
    }
}

/// One figure that stands alone.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// What it is.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
}

impl Goal {
    /// Whether `value` is as it should be.
    pub(crate) fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}
