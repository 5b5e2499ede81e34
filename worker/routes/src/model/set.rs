//! All routes of a run, from one file or several.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{QueueName, RouteName, SettingsChange, StoreError, StoreUrl, nearest};

use crate::ConfigError;
use crate::intake::remembers;
use crate::load::read::shown;
use crate::model::route::Route;
use crate::steps::Action;
use longshore::Connection;

/// Routes that are listed where one is not found.
const NAMED_MAX: usize = 10;

/// The routes of one or several files, checked and compiled.
#[derive(Clone, Debug)]
pub struct RouteSet(pub(crate) Arc<Parts>);

/// What is in a set.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) store: Option<StoreUrl>,
    pub(crate) stores: BTreeMap<String, StoreUrl>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) drain: Option<Duration>,
    pub(crate) queues: Vec<QueueEntry>,
    pub(crate) routes: Vec<Arc<Route>>,
    /// The files, as they were named.
    pub(crate) files: Vec<PathBuf>,
    /// Files that every user of this host may change.
    pub(crate) writable_by_all: Vec<PathBuf>,
}

/// Settings of a queue.
#[derive(Debug)]
pub(crate) struct QueueEntry {
    pub(crate) queue: QueueName,
    pub(crate) change: SettingsChange,
}

impl RouteSet {
    /// The routes in the order of the files.
    pub fn names(&self) -> Vec<&RouteName> {
        self.0.routes.iter().map(|route| &route.name).collect()
    }

    /// The URL of the default store, if a file names one.
    pub fn store_url(&self) -> Option<&StoreUrl> {
        self.0.store.as_ref()
    }

    /// The named stores.
    pub fn named_stores(&self) -> impl Iterator<Item = (&str, &StoreUrl)> {
        self.0.stores.iter().map(|(name, url)| (name.as_str(), url))
    }

    /// Those of these routes (all, if none is named) that files feed and of whose files (of this
    /// host, where hosts do not share them) this store remembers nothing.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn unremembered(
        &self,
        only: &[RouteName],
        store: &Connection,
    ) -> Result<Vec<RouteName>, StoreError> {
        let mut routes = Vec::new();
        for route in self.chosen(only) {
            if self.remembered_to(route, store, 1).await? == Some(0) {
                routes.push(route.name.clone());
            }
        }
        Ok(routes)
    }

    /// How many files of a route, of this host where hosts do not share them, a store remembers, as
    /// far as a thousand.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn remembered(
        &self,
        route: &RouteName,
        store: &Connection,
    ) -> Result<u64, StoreError> {
        let Some(route) = self.0.routes.iter().find(|one| one.name == *route) else {
            return Ok(0);
        };
        let files = self.remembered_to(route, store, 1000).await?;
        Ok(files.unwrap_or(0))
    }

    /// The same, as far as `enough`; `None` of a route that no files feed.
    async fn remembered_to(
        &self,
        route: &Route,
        store: &Connection,
        enough: u64,
    ) -> Result<Option<u64>, StoreError> {
        let Some(glob) = route.intake.glob() else {
            return Ok(None);
        };
        let files = remembers(store.backend(), &route.name, glob.shared, enough);
        files.await.map(Some)
    }

    /// The named stores that these routes (all, if none is named) forward to.
    pub fn needed_stores(&self, only: &[RouteName]) -> Vec<(&str, &StoreUrl)> {
        let used: Vec<_> = self
            .chosen(only)
            .flat_map(|route| route.targets())
            .filter_map(|(_, store)| store)
            .collect();
        self.named_stores()
            .filter(|(name, _)| used.contains(name))
            .collect()
    }

    /// The programs of these routes (all, if none is named) that cannot be run here.
    pub fn missing_programs(&self, only: &[RouteName]) -> Vec<ConfigError> {
        let steps = self.chosen(only).flat_map(|route| route.steps.iter());
        steps
            .filter_map(|step| match &step.action {
                Action::Exec(exec) => exec.missing(),
                _ => None,
            })
            .collect()
    }

    /// That there is nothing to run.
    pub(crate) fn no_route(&self) -> Vec<ConfigError> {
        let message = "there is no route to run";
        let of_file = |file| ConfigError::of_file(file, message).hint("add a [[route]]");
        self.0.files.iter().map(of_file).collect()
    }

    /// That there is no route of this name, with those that there are.
    pub(crate) fn no_such_route(&self, wanted: &str) -> String {
        let names: Vec<_> = self.names().iter().map(|name| name.as_str()).collect();
        let hint = match nearest(wanted, names.iter().copied()) {
            Some(near) => format!("did you mean {near:?}?"),
            None if names.len() > NAMED_MAX => {
                format!("there are {} and others", names[..NAMED_MAX].join(", "))
            }
            None => format!("there are {}", names.join(", ")),
        };
        format!("there is no route {}; {hint}", shown(wanted))
    }

    /// These routes; all, if none is named.
    pub(crate) fn chosen(&self, only: &[RouteName]) -> impl Iterator<Item = &Arc<Route>> {
        let routes = self.0.routes.iter();
        routes.filter(move |route| only.is_empty() || only.contains(&route.name))
    }
}
