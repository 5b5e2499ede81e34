//! Routes as a graph: what `routes show` prints.

use std::fmt;

use longshore_core::{Clause, ClauseAction, ErrorPolicy};
use serde::Serialize;

use crate::RouteSet;
use crate::load::read::shown_roughly;
use crate::model::route::Route;

/// Routes, and where their messages come from and go to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Graph {
    /// The routes in the order of the files.
    pub routes: Vec<GraphRoute>,
}

/// A route of a graph.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GraphRoute {
    /// Its name.
    pub name: String,
    /// `file:line`
    pub place: String,
    /// Where its messages come from.
    pub from: String,
    /// The queue it consumes.
    pub queue: String,
    /// The kind it takes; `None` is every kind.
    pub kind: Option<String>,
    /// Its steps, in words.
    pub steps: Vec<String>,
    /// Its error policy, in words.
    pub policy: String,
    /// Its error clauses, in words.
    pub on_error: Vec<String>,
    /// The queues that it sends to.
    pub to: Vec<String>,
}

impl RouteSet {
    /// The routes as a graph.
    pub fn graph(&self) -> Graph {
        Graph {
            routes: self.0.routes.iter().map(|route| node(route)).collect(),
        }
    }
}

fn node(route: &Route) -> GraphRoute {
    let mut to: Vec<_> = route
        .targets()
        .into_iter()
        .map(|(queue, store)| match store {
            Some(store) => format!("{store}:{queue}"),
            None => queue.to_string(),
        })
        .collect();
    to.sort();
    to.dedup();
    GraphRoute {
        name: route.name.to_string(),
        place: route.place.to_string(),
        from: route.intake.to_string(),
        queue: route.queue.to_string(),
        kind: route.kind.as_ref().map(ToString::to_string),
        steps: route.steps.iter().map(ToString::to_string).collect(),
        policy: policy(&route.policy),
        on_error: route.policy.clauses.iter().map(clause).collect(),
        to,
    }
}

fn policy(policy: &ErrorPolicy) -> String {
    format!(
        "{} attempts over about {}",
        policy.attempts(),
        shown_roughly(policy.span())
    )
}

fn clause(clause: &Clause) -> String {
    let scope = if clause.at_route { "" } else { " (all routes)" };
    let does = match &clause.action {
        Some(ClauseAction::Handled) => "done".to_owned(),
        Some(ClauseAction::Continued) => "next step".to_owned(),
        Some(ClauseAction::Forward { queue, store }) => match store {
            Some(store) => format!("forward to {queue} of {store}"),
            None => format!("forward to {queue}"),
        },
        Some(_) => "dead letter".to_owned(),
        None => clause.change.redeliveries.map_or_else(
            || "other delays".to_owned(),
            |redeliveries| format!("{} attempts", redeliveries.saturating_add(1)),
        ),
    };
    format!("{}: {does}{scope}", clause.pattern)
}

/// A block of lines for each route.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, route) in self.routes.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            route.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for GraphRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.name, self.place)?;
        let kind = self
            .kind
            .as_ref()
            .map_or_else(String::new, |kind| format!(", kind {kind}"));
        if self.from == "queue" {
            writeln!(f, "  queue {}{kind}", self.queue)?;
        } else {
            writeln!(f, "  {}", self.from)?;
            writeln!(f, "  └▶ queue {}{kind}", self.queue)?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            writeln!(f, "  └▶ {}. {step}", index + 1)?;
        }
        writeln!(f, "  on error: {}", self.policy)?;
        for clause in &self.on_error {
            writeln!(f, "    {clause}")?;
        }
        Ok(())
    }
}
