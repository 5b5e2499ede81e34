//! What all files of a run say together.

use std::ops::Range;
use std::sync::Arc;

use longshore_core::{Clause, StoreUrl};

use crate::load::assemble::inherited::Inherited;
use crate::load::assemble::{queues, route};
use crate::load::read::{Document, Node};
use crate::model::mistakes::Mistakes;
use crate::model::policies;
use crate::model::route::Route;
use crate::model::set::Parts;
use crate::{ConfigError, RouteSet};

/// Tables that may stand in one of several files only.
const TOP_LEVEL: &[&str] = &[
    "store", "stores", "worker", "policy", "policies", "queue", "on_error",
];

/// Routes in the making.
#[derive(Default)]
pub(super) struct Whole {
    parts: Parts,
    errors: Mistakes,
    /// The file with the tables of the top level, once there is one.
    tables: Option<Arc<Document>>,
    inherited: Inherited,
}

impl Whole {
    /// Takes the tables of the top level.
    pub(super) fn add_tables(&mut self, document: &Arc<Document>, node: &Node) {
        let first = TOP_LEVEL.iter().find(|key| node.get(key).is_some());
        let Some(first) = first else {
            return;
        };
        if let Some(other) = &self.tables {
            let message = format!(
                "{first:?} stands here, but {} has the tables of the top level",
                other.path.display()
            );
            let hint = "of several files only one may have them";
            let error = document.error(node.key_span(first), message).hint(hint);
            self.errors.0.push(error);
            return;
        }
        self.tables = Some(document.clone());
        self.parts.store = node.get("store").and_then(url);
        for (name, _, store) in entries(node, "stores") {
            if let Some(url) = url(store) {
                self.parts.stores.insert(name.to_owned(), url);
            }
        }
        if let Some(worker) = node.get("worker") {
            self.parts.concurrency = worker.whole("concurrency").map(|n| n as usize);
            self.parts.drain = worker.duration("drain");
        }
        for (name, span, settings) in entries(node, "queue") {
            let entry = queues::entry(document, name, span, settings);
            self.parts.queues.extend(self.errors.keep(entry));
        }
        self.add_policies(document, node);
    }

    fn add_policies(&mut self, document: &Arc<Document>, node: &Node) {
        if let Some(policy) = node.get("policy")
            && let Some(change) = self.errors.keep(policies::change(document, policy))
        {
            self.inherited.policy = self.inherited.policy.with(&change);
        }
        for (name, _, policy) in entries(node, "policies") {
            let change = self.errors.keep(policies::change(document, policy));
            // A policy that is wrong has its name all the same: routes that use it are not wrong,
            // too.
            let change = change.unwrap_or_default();
            self.inherited.policies.insert(name.to_owned(), change);
        }
        let clauses = policies::clauses(document, node, false, &mut self.errors);
        for (clause, _) in &clauses {
            let known = self.check_store(document, node, clause_store(clause));
            self.errors.keep(known);
        }
        self.inherited.clauses = clauses;
    }

    /// Takes the routes of a file.
    pub(super) fn add_routes(&mut self, document: &Arc<Document>, node: &Node) {
        self.parts.files.push(document.path.clone());
        if document.writable_by_all {
            self.parts.writable_by_all.push(document.path.clone());
        }
        for table in node.items("route") {
            let route = route::build(&self.inherited, document, table);
            if let Some(route) = self.errors.keep(route) {
                self.add_route(document, table, route);
            }
        }
    }

    fn add_route(&mut self, document: &Arc<Document>, table: &Node, route: Route) {
        let name_span = &table.get("name").unwrap_or(table).span;
        let from_span = &table.get("from").unwrap_or(table).span;
        if let Some(other) = self
            .parts
            .routes
            .iter()
            .find(|other| other.name == route.name)
        {
            let message = format!(
                "there are two routes of the name {:?}, the other one at {}",
                route.name.as_str(),
                other.place
            );
            self.errors.0.push(document.error(name_span, message));
            return;
        }
        let same = |other: &&Arc<Route>| other.queue == route.queue && other.kind == route.kind;
        if let Some(other) = self.parts.routes.iter().find(same) {
            let what = match &route.kind {
                Some(kind) => format!("kind {kind} of the queue {}", route.queue),
                None => format!("the queue {}", route.queue),
            };
            let message = format!(
                "two routes take {what}, the other one is {} at {}",
                other.name, other.place
            );
            self.errors.0.push(document.error(from_span, message));
            return;
        }
        let beside = |other: &&Arc<Route>| other.queue == route.queue && other.lease != route.lease;
        if let Some(other) = self.parts.routes.iter().find(beside) {
            let message = format!(
                "routes on one queue share one intake, so lease must be the same as in {} at {}",
                other.name, other.place
            );
            let span = table.key_span("lease");
            self.errors.0.push(document.error(span, message));
            return;
        }
        let apart =
            |other: &&Arc<Route>| other.queue == route.queue && other.defers != route.defers;
        if let Some(other) = self.parts.routes.iter().find(apart) {
            let message = format!(
                "routes on one queue share one intake, so shutdown must be the same as in {} at {}",
                other.name, other.place
            );
            self.errors
                .0
                .push(document.error(table.key_span("shutdown"), message));
            return;
        }
        if let Err(error) = self.check_aggregate(&route) {
            self.errors.0.push(error);
            return;
        }
        for (_, store) in route.targets() {
            let known = self.check_store(document, table, store);
            self.errors.keep(known);
        }
        self.parts.routes.push(Arc::new(route));
    }

    /// Two routes do not share an aggregate, and the queue of its dead letters is no route's.
    fn check_aggregate(&self, route: &Route) -> Result<(), ConfigError> {
        let others = &self.parts.routes;
        if let Some(step) = route.aggregate()
            && let Some(other) = others.iter().find(|other| {
                other
                    .aggregate()
                    .is_some_and(|one| one.name() == step.name())
            })
        {
            let message = format!(
                "the route {} collects into the aggregate {} already, at {}",
                other.name,
                step.name(),
                other.place
            );
            let hint = "give it a name of its own, or forward to one queue and collect there";
            return Err(step.place.error(message).hint(hint));
        }
        let routes = others.iter().map(|route| &**route).chain([route]);
        let clash = routes.clone().find_map(|one| {
            let step = one.aggregate()?;
            let queue = step.dead();
            let taken = routes.clone().find(|other| other.queue.as_str() == queue)?;
            Some((queue, taken))
        });
        clash.map_or(Ok(()), |(queue, taken)| {
            let message = format!(
                "the queue {queue} holds the dead letters of an aggregate; no route can consume it"
            );
            Err(taken.place.error(message))
        })
    }

    /// A store that a forward names must be there.
    fn check_store(
        &self,
        document: &Document,
        place: &Node,
        store: Option<&str>,
    ) -> Result<(), ConfigError> {
        let Some(name) = store.filter(|name| !self.parts.stores.contains_key(*name)) else {
            return Ok(());
        };
        let span = find_store(place, name).unwrap_or(&place.span);
        let message = format!("there is no store {}", crate::load::read::shown(name));
        let names = self.parts.stores.keys().map(String::as_str);
        let hint = longshore_core::nearest(name, names).map_or_else(
            || format!("add [stores.{name}] with its url"),
            |near| format!("did you mean {near:?}?"),
        );
        Err(document.error(span, message).hint(hint))
    }

    /// The set, or all that is wrong.
    pub(super) fn finish(mut self) -> Result<RouteSet, Vec<ConfigError>> {
        if !self.errors.0.is_empty() {
            let key = |error: &ConfigError| (error.file.clone(), error.line, error.column);
            self.errors.0.sort_by_key(key);
            return Err(self.errors.0);
        }
        Ok(RouteSet(Arc::new(self.parts)))
    }
}

fn entries<'a>(node: &'a Node, key: &str) -> Vec<(&'a str, &'a Range<usize>, &'a Node)> {
    node.get(key).map(Node::entries).unwrap_or_default()
}

fn url(store: &Node) -> Option<StoreUrl> {
    store.text("url")?.parse().ok()
}

fn clause_store(clause: &Clause) -> Option<&str> {
    match &clause.action {
        Some(longshore_core::ClauseAction::Forward { store, .. }) => store.as_deref(),
        _ => None,
    }
}

/// Where a store of this name is mentioned below `node`.
fn find_store<'a>(node: &'a Node, name: &str) -> Option<&'a Range<usize>> {
    let here = node
        .get("store")
        .filter(|store| store.as_text() == Some(name));
    here.map(|store| &store.span).or_else(|| {
        node.children()
            .into_iter()
            .find_map(|child| find_store(child, name))
    })
}
