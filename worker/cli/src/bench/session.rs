//! What every scenario works with.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use longshore::Connection;
use longshore::core::{Floor, FloorReport, FloorServer, FloorSpec, ServerCounts, StoreUrl};

use super::args::{BenchArgs, Scenario};
use super::load::Load;
use super::place::Place;
use super::pump;
use super::report::Goal;
use super::scratch::{Scratch, at};
use super::steps::Steps;
use super::tally::{Check, Tally};
use crate::error::{CliError, Result};
use crate::exit::Exit;

/// One bench: its arguments, its place, its progress.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    /// What was asked for.
    pub args: &'a BenchArgs,
    /// Where its stores live.
    pub place: Place,
    /// How far it is.
    pub steps: Steps,
    /// What knows the server of the stores, where there is one.
    floor: Option<Arc<dyn Floor>>,
    stamp: u64,
    runs: AtomicU16,
}

impl<'a> Bench<'a> {
    /// Checks the arguments and makes the place.
    pub(crate) fn new(args: &'a BenchArgs, url: &str, quiet: bool) -> Result<Self> {
        let runs_jobs = matches!(
            args.scenario,
            Scenario::Pickup | Scenario::Memory | Scenario::Drain
        );
        if runs_jobs && args.body < 2 {
            return Err(CliError::usage(
                "this scenario runs typed jobs, whose bodies are JSON; give --body 2 or more",
            ));
        }
        let now = jiff::Timestamp::now().as_millisecond();
        let place = Place::of(url)?;
        let floor = place
            .has_server()
            .then(|| Self::floor_of(url))
            .transpose()?;
        let needs_server = matches!(args.scenario, Scenario::Idle | Scenario::Space);
        if needs_server && floor.as_ref().is_none_or(|floor| floor.server().is_none()) {
            return Err(CliError::usage(
                "this scenario asks a server about itself, and this store has none; give the URL \
                 of a server, such as redis://127.0.0.1:6379",
            ));
        }
        Ok(Self {
            args,
            place,
            floor,
            steps: Steps::new(quiet),
            stamp: u64::try_from(now).unwrap_or_default(),
            runs: AtomicU16::new(0),
        })
    }

    /// Messages that no other part of this bench has.
    pub(crate) fn load(&self) -> Load {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        let load = Load::new(run, self.stamp, self.args.body);
        match self.args.scenario {
            Scenario::Grouped => load.in_groups(self.args.groups.get()),
            _ => load,
        }
    }

    /// The server of the stores, where it can be asked about itself.
    pub(crate) fn server(&self) -> Option<&dyn FloorServer> {
        self.floor.as_ref()?.server()
    }

    /// The processor time that the server has used so far; zero where there is none to ask.
    pub(crate) async fn server_time(&self) -> Result<Duration> {
        match self.server() {
            Some(server) => Ok(server.usage().await?.processor),
            None => Ok(Duration::ZERO),
        }
    }

    /// What the servers of the stores count, where they can be asked for it.
    pub(crate) async fn counts(&self) -> Result<Option<ServerCounts>> {
        match &self.floor {
            Some(_) => {
                let scratch = self.place.fresh(None)?;
                let url = scratch.url();
                let counts = Self::floor_of(&url)?.counts().await;
                counts.map_err(|error| at(&url, error))
            }
            None => Ok(None),
        }
    }

    /// How many enqueues each worker has under way: over a connection one at a time would
    /// measure the way there and back.
    pub(crate) fn under_way(&self) -> u32 {
        if self.place.has_server() { 4 } else { 1 }
    }

    /// Removes what the stores of this bench left on a server.
    pub(crate) async fn clear(&self) -> Result<()> {
        for url in self.place.take_on_server() {
            if let Some(server) = Self::floor_of(&url)?.server() {
                server.clear().await?;
            }
        }
        Ok(())
    }

    /// A goal that holds for stores on disk: a call of one in memory costs next to nothing, so
    /// that its ratios only say what the rules cost.
    pub(crate) fn goal_on_disk(&self, goal: Goal) -> Option<Goal> {
        self.place.is_shared().then_some(goal)
    }

    /// Measures the raw floor once: the bare driver on scratch data of its own.
    pub(crate) async fn raw(
        &self,
        messages: u64,
        (enqueue_batch, batch): (u32, u32),
        workers: u32,
    ) -> Result<FloorReport> {
        let scratch = self.place.fresh(None)?;
        let url = scratch.url();
        let floor = Self::floor_of(&url)?;
        let spec = self.raw_spec(messages, (enqueue_batch, batch), workers);
        let measured = floor.measure(spec).await;
        measured.map_err(|error| at(&url, error))
    }

    /// The same without noting which consumer has which message, where the store has commands for
    /// that.
    pub(crate) async fn raw_unclaimed(&self) -> Result<Option<FloorReport>> {
        let Some(floor) = &self.floor else {
            return Ok(None);
        };
        let args = self.args;
        let spec = self.raw_spec(args.messages(), args.batches(), args.workers());
        Ok(floor.measure_unclaimed(spec).await?)
    }

    /// The floor of a store.
    pub(crate) fn floor_of(url: &str) -> Result<Arc<dyn Floor>> {
        let url: StoreUrl = url.parse().map_err(|error| {
            let error: longshore::core::UrlError = error;
            CliError::new(Exit::Misconfigured, error.to_string())
        })?;
        Ok(longshore::registry().floor(&url)?)
    }

    /// What the raw floor is to do.
    pub(crate) fn raw_spec(
        &self,
        messages: u64,
        (enqueue_batch, batch): (u32, u32),
        workers: u32,
    ) -> FloorSpec {
        FloorSpec {
            messages,
            body_bytes: self.args.body,
            enqueue_batch: NonZeroU32::new(enqueue_batch).unwrap_or(NonZeroU32::MIN),
            batch: NonZeroU32::new(batch).unwrap_or(NonZeroU32::MIN),
            workers: NonZeroU32::new(workers).unwrap_or(NonZeroU32::MIN),
        }
    }

    /// Opens a scratch store and brings it into the state of one that has run for a while.
    pub(crate) async fn open_warm(&self, scratch: &Scratch) -> Result<Connection> {
        let connection = scratch.open().await?;
        // For what lives in memory there is nothing to warm up.
        if self.place.is_shared() {
            pump::warm_up(connection.backend().queues.as_ref(), &self.load()).await?;
        }
        Ok(connection)
    }

    /// What `tally` means, once the store was asked what it still has.
    pub(crate) async fn check(&self, connection: &Connection, tally: &Tally) -> Result<Check> {
        let stats = connection.backend().admin.stats(&pump::queue()?).await?;
        let left = stats.map_or(0, |stats| stats.live() + stats.dead);
        Ok(tally.check(left))
    }
}

/// Messages a second.
pub(crate) fn rate(messages: u64, took: Duration) -> f64 {
    messages as f64 / took.as_secs_f64()
}
