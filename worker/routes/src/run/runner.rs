//! Running routes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_core::RouteName;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::RouteSet;
use crate::model::route::Route;
use crate::model::settings;
use crate::run::control::RunnerHandle;
use crate::run::failure::{RunFailure, placed};
use crate::run::processor::RouteProcessor;
use crate::run::progress::{Observer, Progress};
use crate::run::ready::{Feed, ReadyRunner};
use crate::steps::{Action, Clients, Services};
use longshore::{BuildError, Connection, ProcessorOptions, Worker};

/// Slots of a process, where nothing else is said.
const SLOTS: usize = 32;

/// A run of routes, to be described and then prepared.
#[must_use = "a runner does nothing until it is prepared and run"]
pub struct Runner {
    set: RouteSet,
    connection: Connection,
    stores: BTreeMap<String, Connection>,
    only: Vec<RouteName>,
    until_idle: bool,
    concurrency: Option<usize>,
    drain: Option<Duration>,
    name: Option<String>,
    observer: Option<Observer>,
}

impl Runner {
    /// A run of all routes of a set, on an open default store.
    pub fn new(set: RouteSet, connection: Connection) -> Self {
        Self {
            set,
            connection,
            stores: BTreeMap::new(),
            only: Vec::new(),
            until_idle: false,
            concurrency: None,
            drain: None,
            name: None,
            observer: None,
        }
    }

    /// The open named stores: at least those of [`RouteSet::needed_stores`].
    pub fn stores(mut self, stores: BTreeMap<String, Connection>) -> Self {
        self.stores = stores;
        self
    }

    /// Runs these routes only. Default: all.
    pub fn only(mut self, routes: Vec<RouteName>) -> Self {
        self.only = routes;
        self
    }

    /// Ends when nothing is left to do. Default: runs until it is told to stop.
    pub fn until_idle(mut self, until_idle: bool) -> Self {
        self.until_idle = until_idle;
        self
    }

    /// Slots of this process, instead of what the file says.
    pub fn concurrency(mut self, slots: usize) -> Self {
        self.concurrency = Some(slots);
        self
    }

    /// The budget of a shutdown, instead of what the file says.
    pub fn drain(mut self, budget: Duration) -> Self {
        self.drain = Some(budget);
        self
    }

    /// The name of the worker in attempt records. Default: the host's.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Calls `observer` about five times a second while the run goes on. It must not block.
    pub fn observe(mut self, observer: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Checks that everything is there, hands the settings of queues to the store, and builds
    /// the worker.
    pub async fn prepare(self) -> Result<ReadyRunner, RunFailure> {
        self.check_names()?;
        let missing = self.set.missing_programs(&self.only);
        if !missing.is_empty() {
            return Err(RunFailure::Config(missing));
        }
        let routes: Vec<_> = self.set.chosen(&self.only).cloned().collect();
        let services = Arc::new(self.services(&routes)?);
        settings::apply(&self.set, &self.connection).await?;
        let (later, first): (Vec<_>, Vec<_>) =
            routes.iter().cloned().partition(|route| route.defers);
        // Two workers share the slots of the process by a gate.
        let gate = (!first.is_empty() && !later.is_empty()).then(|| self.gate());
        let first = self.worker(&first, &services, gate.as_ref())?;
        let later = self.worker(&later, &services, gate.as_ref())?;
        let fed = routes.iter().filter(|route| route.intake.glob().is_some());
        let feeds: Vec<_> = fed.map(|route| Feed::new(route.clone())).collect();
        let workers = [&first, &later].into_iter().flatten();
        let handle = RunnerHandle {
            workers: workers.map(Worker::handle).collect(),
            feeds: feeds.iter().map(|feed| feed.status.clone()).collect(),
            stop: CancellationToken::new(),
            now: CancellationToken::new(),
            born: Instant::now(),
        };
        Ok(ReadyRunner {
            handle,
            connection: self.connection.clone(),
            routes,
            aggregates: services.aggregates.values().cloned().collect(),
            feeds,
            first,
            later,
            until_idle: self.until_idle,
            drain: self.budget(),
            observer: self.observer.clone(),
        })
    }

    fn budget(&self) -> Duration {
        let budget = self.drain.or(self.set.0.drain);
        budget.unwrap_or(Duration::from_secs(45))
    }

    fn gate(&self) -> Arc<Semaphore> {
        let slots = self.concurrency.or(self.set.0.concurrency);
        Arc::new(Semaphore::new(slots.unwrap_or(SLOTS)))
    }

    fn check_names(&self) -> Result<(), RunFailure> {
        let names = self.set.names();
        if names.is_empty() {
            return Err(RunFailure::Config(self.set.no_route()));
        }
        for wanted in &self.only {
            if !names.contains(&wanted) {
                return Err(RunFailure::Usage(self.set.no_such_route(wanted.as_str())));
            }
        }
        Ok(())
    }

    fn services(&self, routes: &[Arc<Route>]) -> Result<Services, RunFailure> {
        for (name, _) in self.set.needed_stores(&self.only) {
            if !self.stores.contains_key(name) {
                let message = format!("the store {name:?} is not connected");
                return Err(RunFailure::Usage(message));
            }
        }
        let mut steps = routes.iter().flat_map(|route| &route.steps);
        // Reading certificates takes time, so only where a request may be made.
        let clients = if steps.any(|step| matches!(step.action, Action::Http(_))) {
            Clients::new().map_err(RunFailure::Usage)?
        } else {
            Clients::default()
        };
        let mut aggregates = BTreeMap::new();
        for route in routes {
            if let Some(step) = route.aggregate() {
                let opened = step.open(&self.connection);
                let opened = opened
                    .map_err(|error| RunFailure::Config(vec![step.place.error(error.to_string())]));
                aggregates.insert(step.name().to_owned(), opened?);
            }
        }
        Ok(Services {
            stores: self.stores.clone(),
            clients,
            aggregates,
        })
    }

    /// A worker of some of the routes; `None` if there are none.
    fn worker(
        &self,
        routes: &[Arc<Route>],
        services: &Arc<Services>,
        gate: Option<&Arc<Semaphore>>,
    ) -> Result<Option<Worker>, RunFailure> {
        let mut queues: BTreeMap<_, Vec<&Arc<Route>>> = BTreeMap::new();
        for route in routes {
            queues.entry(&route.queue).or_default().push(route);
        }
        if queues.is_empty() {
            return Ok(None);
        }
        let mut builder = Worker::builder(self.connection.clone()).drain(self.budget());
        let slots = self.concurrency.or(self.set.0.concurrency);
        builder = builder.concurrency(slots.unwrap_or(SLOTS));
        if let Some(name) = &self.name {
            builder = builder.name(name.clone());
        }
        if self.until_idle {
            // The end is not held up by a long wait for what does not come.
            builder = builder.idle_wait(Duration::from_millis(200));
        }
        for (queue, routes) in queues {
            builder = builder.queue(queue.as_str(), |mut config| {
                if let Some(lease) = routes.iter().find_map(|route| route.lease) {
                    config = config.lease(lease);
                }
                for route in &routes {
                    let processor =
                        RouteProcessor::new((*route).clone(), services.clone(), gate.cloned());
                    config =
                        config.process(route.kind.clone(), Arc::new(processor), options(route));
                }
                config
            });
        }
        for step in routes.iter().filter_map(|route| route.aggregate()) {
            if let Some(aggregate) = services.aggregates.get(step.name()) {
                let release = step.release(aggregate);
                builder = builder.release(release.map_err(BuildError::from)?);
            }
        }
        builder
            .build()
            .map(Some)
            .map_err(|error| placed(error, routes))
    }
}

fn options(route: &Route) -> ProcessorOptions {
    let options = ProcessorOptions::named(route.name.as_str())
        .policy(route.policy.clone())
        .timeout(route.timeout);
    match route.concurrency {
        Some(jobs) => options.concurrency(jobs),
        None => options,
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("routes", &self.set.names())
            .field("only", &self.only)
            .field("until_idle", &self.until_idle)
            .finish_non_exhaustive()
    }
}
