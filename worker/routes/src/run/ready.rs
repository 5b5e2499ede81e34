//! A run from its first message to its summary.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_core::{QueueName, StoreError, StoreErrorKind};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::intake::{FeedStatus, Feeder};
use crate::model::route::Route;
use crate::run::control::RunnerHandle;
use crate::run::failure::{RunFailure, placed};
use crate::run::idle::IdleWatch;
use crate::run::progress::{Ended, Observer, Summary};
use longshore::{Aggregate, Connection, RunError, RunReport, Worker};

const OBSERVED_EACH: Duration = Duration::from_millis(200);
/// So long a feeder may take to end its last call.
const FEEDERS_MAX: Duration = Duration::from_secs(6);
/// How often the queues of deferred routes are looked at during a shutdown.
const DEFERRED_LOOK_EACH: Duration = Duration::from_millis(100);

/// A run that is ready to start.
#[must_use = "nothing happens until it is run"]
pub struct ReadyRunner {
    pub(crate) connection: Connection,
    pub(crate) routes: Vec<Arc<Route>>,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) aggregates: Vec<Aggregate>,
    pub(crate) first: Option<Worker>,
    pub(crate) later: Option<Worker>,
    pub(crate) until_idle: bool,
    pub(crate) drain: Duration,
    pub(crate) observer: Option<Observer>,
    pub(crate) handle: RunnerHandle,
}

/// A route that is fed from files.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) route: Arc<Route>,
    pub(crate) status: Arc<FeedStatus>,
}

impl Feed {
    pub(crate) fn new(route: Arc<Route>) -> Self {
        Self {
            route,
            status: Arc::default(),
        }
    }
}

type Ran = Result<RunReport, RunError>;

/// Why the running part is over.
enum Over {
    Idle(Ended),
    Stop,
    Now,
    Failed(RunFailure),
}

impl ReadyRunner {
    /// A handle to watch and stop it.
    pub fn handle(&self) -> RunnerHandle {
        self.handle.clone()
    }

    /// Runs until nothing is left (where it was asked to), `stop` is ready or the handle says so;
    /// then drains. `stop_now` ends it at once, at any time.
    ///
    /// # Cancellation
    ///
    /// Dropping the future stops everything at once; what ran is delivered again when its lease
    /// has ended.
    pub async fn run(
        mut self,
        stop: impl Future<Output = ()> + Send,
        stop_now: impl Future<Output = ()> + Send,
    ) -> Result<Summary, RunFailure> {
        let started = Instant::now();
        let closing = CancellationToken::new();
        let mut feeders = self.feeders(&closing);
        let mut first = running(self.first.take());
        let mut later = running(self.later.take());
        tokio::pin!(stop_now);
        let over = tokio::select! {
            over = self.running(&mut feeders, &mut first, &mut later) => over,
            () = stop => Over::Stop,
            () = self.handle.stop.cancelled() => Over::Stop,
            () = &mut stop_now => Over::Now,
            () = self.handle.now.cancelled() => Over::Now,
        };
        closing.cancel();
        self.handle.stop.cancel();
        let now = matches!(over, Over::Now);
        if now {
            self.halt();
        }
        let mut broken = None;
        let halted = tokio::select! {
            failed = self.drained(&mut feeders, &mut first, &mut later) => {
                broken = failed;
                now
            }
            () = &mut stop_now, if !now => true,
            () = self.handle.now.cancelled(), if !now => true,
        };
        if halted {
            self.halt();
            while first.join_next().await.is_some() || later.join_next().await.is_some() {}
        }
        feeders.shutdown().await;
        let ended = match (over, broken) {
            (Over::Failed(failure), _) | (_, Some(failure)) => return Err(failure),
            _ if halted => Ended::StoppedNow,
            (Over::Idle(ended), _) => ended,
            (Over::Stop | Over::Now, _) => Ended::Stopped,
        };
        Ok(self.summary(started, ended))
    }

    fn feeders(&self, closing: &CancellationToken) -> JoinSet<Result<(), StoreError>> {
        let mut feeders = JoinSet::new();
        for feed in &self.feeds {
            let (closing, status) = (closing.clone(), feed.status.clone());
            let feeder = Feeder::of(
                &feed.route,
                &self.connection,
                self.until_idle,
                closing,
                status,
            );
            if let Some(feeder) = feeder {
                feeders.spawn(feeder.run());
            }
        }
        feeders
    }

    /// Works until something ends the run from inside.
    async fn running(
        &self,
        feeders: &mut JoinSet<Result<(), StoreError>>,
        first: &mut JoinSet<Ran>,
        later: &mut JoinSet<Ran>,
    ) -> Over {
        let idle = async {
            if !self.until_idle {
                return std::future::pending().await;
            }
            let watch = IdleWatch {
                connection: self.connection.clone(),
                routes: self.routes.clone(),
                feeds: self.feeds.iter().map(|feed| feed.status.clone()).collect(),
                aggregates: self.aggregates.clone(),
            };
            watch.wait().await
        };
        tokio::pin!(idle);
        let mut tick = tokio::time::interval(OBSERVED_EACH);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                ended = &mut idle => return match ended {
                    Ok(ended) => Over::Idle(ended),
                    Err(error) => Over::Failed(error.into()),
                },
                Some(fed) = feeders.join_next() => if let Err(error) = flat(fed) {
                    return Over::Failed(error.into());
                },
                Some(ran) = first.join_next() => return self.ended_early(ran),
                Some(ran) = later.join_next() => return self.ended_early(ran),
                _ = tick.tick() => self.observe(),
            }
        }
    }

    /// What the end of a worker means for the run.
    fn ended_early(&self, ran: Result<Ran, JoinError>) -> Over {
        match ran {
            Ok(Ok(_)) => Over::Stop,
            Ok(Err(RunError::Build(error))) => Over::Failed(placed(error, &self.routes)),
            Ok(Err(error)) => Over::Failed(error.into()),
            Err(error) => Over::Failed(panicked(error).into()),
        }
    }

    /// Lets running jobs end: those of ordinary routes, then those of deferred ones, in one
    /// shared budget. The first part that failed meanwhile is told.
    async fn drained(
        &self,
        feeders: &mut JoinSet<Result<(), StoreError>>,
        first: &mut JoinSet<Ran>,
        later: &mut JoinSet<Ran>,
    ) -> Option<RunFailure> {
        let budget_ends = tokio::time::Instant::now() + self.drain;
        let ended = async {
            let mut failed = None;
            let fed = async {
                while let Some(fed) = feeders.join_next().await {
                    if let Err(error) = flat(fed) {
                        failed.get_or_insert(error.into());
                    }
                }
            };
            // What a feeder has read is stored before the routes that work it stop.
            let _ = tokio::time::timeout(FEEDERS_MAX, fed).await;
            if let Some(worker) = self.handle.workers.first().filter(|_| !first.is_empty()) {
                worker.stop();
            }
            self.all_ended(first, &mut failed).await;
            if later.is_empty() {
                return failed;
            }
            let done = self.deferred_are_done();
            let _ = tokio::time::timeout_at(budget_ends, done).await;
            let Some(worker) = self.handle.workers.last() else {
                return failed;
            };
            worker.stop();
            let all = self.all_ended(later, &mut failed);
            if tokio::time::timeout_at(budget_ends, all).await.is_err() {
                worker.stop_now();
            }
            self.all_ended(later, &mut failed).await;
            failed
        };
        tokio::pin!(ended);
        let mut tick = tokio::time::interval(OBSERVED_EACH);
        loop {
            tokio::select! {
                failed = &mut ended => return failed,
                _ = tick.tick() => self.observe(),
            }
        }
    }

    /// Waits until these workers have ended.
    async fn all_ended(&self, workers: &mut JoinSet<Ran>, failed: &mut Option<RunFailure>) {
        while let Some(ran) = workers.join_next().await {
            if let Over::Failed(failure) = self.ended_early(ran) {
                failed.get_or_insert(failure);
            }
        }
    }

    /// Waits until nothing that could be worked now is left for the deferred routes.
    async fn deferred_are_done(&self) {
        let deferred = self.routes.iter().filter(|route| route.defers);
        let queues: Vec<&QueueName> = deferred.map(|route| &route.queue).collect();
        loop {
            let mut left = 0;
            for queue in &queues {
                match self.connection.backend().admin.stats(queue).await {
                    Ok(stats) => {
                        let stats = stats.filter(|stats| stats.paused.is_none());
                        left += stats.map_or(0, |stats| stats.waiting + stats.leased);
                    }
                    // The budget ends it where the store stays away.
                    Err(_) => left += 1,
                }
            }
            if left == 0 {
                return;
            }
            tokio::time::sleep(DEFERRED_LOOK_EACH).await;
        }
    }

    fn halt(&self) {
        for worker in &self.handle.workers {
            worker.stop_now();
        }
    }

    fn observe(&self) {
        if let Some(observer) = &self.observer {
            observer(&self.handle.stats());
        }
    }

    fn summary(&self, started: Instant, ended: Ended) -> Summary {
        self.observe();
        let done = self.handle.stats();
        Summary {
            acked: done.acked,
            retried: done.retried,
            dead: done.dead,
            seconds: (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            fed: done.fed,
            refused: done.refused,
            ended,
        }
    }
}

/// A worker as a task of its own.
fn running(worker: Option<Worker>) -> JoinSet<Ran> {
    let mut tasks = JoinSet::new();
    if let Some(worker) = worker {
        tasks.spawn(worker.run_until(std::future::pending()));
    }
    tasks
}

fn flat(fed: Result<Result<(), StoreError>, JoinError>) -> Result<(), StoreError> {
    fed.unwrap_or_else(|error| Err(panicked(error)))
}

fn panicked(error: JoinError) -> StoreError {
    StoreError::new(
        StoreErrorKind::Unexpected,
        "run",
        "a part of the run panicked",
    )
    .caused_by(error)
}

impl fmt::Debug for ReadyRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self
            .routes
            .iter()
            .map(|route| route.name.as_str())
            .collect();
        f.debug_struct("ReadyRunner")
            .field("routes", &names)
            .field("until_idle", &self.until_idle)
            .finish_non_exhaustive()
    }
}
