//! What becomes of a failure: the plan that `routes explain` prints.

use std::fmt;
use std::time::Duration;

use longshore_core::{ClauseAction, Decision, ErrorPolicy, Failure, Label};
use serde::Serialize;

use crate::RouteSet;
use crate::load::read::{shown_roughly, shown_span};
use crate::model::labels::never_matches;
use crate::model::route::Route;

/// Retries that are listed one by one.
const LISTED_MAX: u32 = 20;

/// What a route does with failures of a label.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RetryPlan {
    /// The route.
    pub route: String,
    /// The label.
    pub label: String,
    /// The clause that decides; `None` if it is the policy alone.
    pub clause: Option<MatchedClause>,
    /// Why no step of the route gives this label, in words; `None` if one may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never: Option<String>,
    /// What becomes of the message.
    #[serde(flatten)]
    pub outcome: PlannedOutcome,
}

/// The clause that takes a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MatchedClause {
    /// What it takes.
    pub pattern: String,
    /// `route` or `global`.
    pub scope: &'static str,
    /// `file:line`
    pub place: String,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PlannedOutcome {
    /// It is tried again.
    Retry {
        /// How many attempts there are in all.
        attempts: u32,
        /// The delays, the first ones if there are many.
        delays: Vec<PlannedDelay>,
        /// How long all delays together are, jitter aside.
        span_ms: u64,
    },
    /// It is put back uncharged until what it needs is there again.
    Release,
    /// It goes to the dead letters at the first failure.
    DeadLetter,
    /// It is finished as done.
    Handled,
    /// The next step follows.
    Continued,
    /// It is sent to another queue, then finished as done.
    Forward {
        /// The queue.
        queue: String,
        /// The named store; `None` is the route's.
        store: Option<String>,
    },
}

/// The delay before a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlannedDelay {
    /// Which retry, from 1.
    pub retry: u32,
    /// Without jitter.
    pub base_ms: u64,
    /// With the least jitter.
    pub least_ms: u64,
    /// With the most.
    pub most_ms: u64,
}

impl RouteSet {
    /// The plans of a route (of all routes, if none is named) for failures of a label.
    pub fn explain(&self, route: Option<&str>, label: &str) -> Result<Vec<RetryPlan>, String> {
        let label = Label::new(label).map_err(|error| error.to_string())?;
        if let Some(wanted) = route
            && !self
                .0
                .routes
                .iter()
                .any(|route| route.name.as_str() == wanted)
        {
            return Err(self.no_such_route(wanted));
        }
        let routes = self.0.routes.iter();
        let chosen = routes.filter(|one| route.is_none_or(|wanted| one.name.as_str() == wanted));
        Ok(chosen.map(|route| plan(route, &label)).collect())
    }
}

fn plan(route: &Route, label: &Label) -> RetryPlan {
    let policy = &route.policy;
    let winner = policy.winner(label);
    let clause = winner.and_then(|winner| {
        let at = policy
            .clauses
            .iter()
            .position(|clause| std::ptr::eq(clause, winner))?;
        Some(MatchedClause {
            pattern: winner.pattern.to_string(),
            scope: if winner.at_route { "route" } else { "global" },
            place: route.clauses.get(at)?.to_string(),
        })
    });
    let effective = winner.map_or_else(|| policy.clone(), |winner| policy.with(&winner.change));
    RetryPlan {
        route: route.name.to_string(),
        label: label.to_string(),
        clause,
        never: never(route, label),
        outcome: outcome(policy, &effective, label),
    }
}

/// Why no step gives the label, in words.
fn never(route: &Route, label: &Label) -> Option<String> {
    if label.as_str().split('.').next() == Some("handler") {
        return Some("only handlers of the library give labels of their own".into());
    }
    never_matches(route, label, true)
}

fn outcome(policy: &ErrorPolicy, effective: &ErrorPolicy, label: &Label) -> PlannedOutcome {
    match policy.decide(&specimen(label), 1, 0, 0.5) {
        Decision::Retry(_) => PlannedOutcome::Retry {
            attempts: effective.attempts(),
            delays: (1..=effective.redeliveries.min(LISTED_MAX))
                .map(|retry| delay(effective, retry))
                .collect(),
            span_ms: effective.span().as_millis() as u64,
        },
        Decision::Release(_) => PlannedOutcome::Release,
        Decision::Action(ClauseAction::Handled) => PlannedOutcome::Handled,
        Decision::Action(ClauseAction::Continued) => PlannedOutcome::Continued,
        Decision::Action(ClauseAction::Forward { queue, store }) => PlannedOutcome::Forward {
            queue: queue.to_string(),
            store,
        },
        _ => PlannedOutcome::DeadLetter,
    }
}

fn delay(policy: &ErrorPolicy, retry: u32) -> PlannedDelay {
    let millis = |random| policy.delay_for(retry, random).as_millis() as u64;
    PlannedDelay {
        retry,
        base_ms: policy.base(retry).as_millis() as u64,
        least_ms: millis(0.0),
        most_ms: millis(1.0),
    }
}

/// A failure as the steps make it for a label: permanent, away or worth another try.
fn specimen(label: &Label) -> Failure {
    let text = label.as_str();
    let status = text
        .strip_prefix("http.")
        .and_then(|n| n.parse::<u16>().ok());
    let lasting = status.is_some_and(|n| (300..500).contains(&n) && ![408, 425, 429].contains(&n));
    let failure = match text {
        "forward.unavailable" | "forward.overloaded" | "host.shortage" => {
            return Failure::away(label, "");
        }
        "exec.exit.65" | "exec.exit.66" | "exec.output" | "template" | "decode"
        | "http.address" | "http.response" | "http.url" => Failure::permanent(""),
        _ if lasting => Failure::permanent(""),
        _ => Failure::retryable(""),
    };
    failure.with_label(label.clone())
}

/// Several lines for people.
impl fmt::Display for RetryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of the route {}", self.label, self.route)?;
        if let Some(reason) = &self.never {
            writeln!(
                f,
                "  no step of this route fails with it: {reason}; if one did:"
            )?;
        }
        match &self.clause {
            Some(clause) => writeln!(
                f,
                "  decided by the {} clause {:?} at {}",
                clause.scope, clause.pattern, clause.place
            )?,
            None => writeln!(f, "  decided by the policy; no clause takes this label")?,
        }
        match &self.outcome {
            PlannedOutcome::Retry {
                attempts,
                delays,
                span_ms,
            } => retries(f, *attempts, delays, *span_ms),
            PlannedOutcome::Release => f.write_str(
                "  put back uncharged after 1s, doubling to 1m, until what it needs is there again",
            ),
            PlannedOutcome::DeadLetter => f.write_str("  dead letter at the first failure"),
            PlannedOutcome::Handled => f.write_str("  finished as done"),
            PlannedOutcome::Continued => f.write_str("  the next step follows"),
            PlannedOutcome::Forward { queue, store } => {
                write!(f, "  sent to the queue {queue}")?;
                if let Some(store) = store {
                    write!(f, " of {store}")?;
                }
                f.write_str(", then finished as done")
            }
        }
    }
}

fn retries(
    f: &mut fmt::Formatter<'_>,
    attempts: u32,
    delays: &[PlannedDelay],
    span_ms: u64,
) -> fmt::Result {
    let span = |millis| shown_span(Duration::from_millis(millis));
    for delay in delays {
        let (base, least, most) = (
            span(delay.base_ms),
            span(delay.least_ms),
            span(delay.most_ms),
        );
        write!(f, "  retry {:>2} after {base}", delay.retry)?;
        if least != most {
            write!(f, " ({least} to {most})")?;
        }
        writeln!(f)?;
    }
    let listed = delays.len() as u32 + 1;
    if attempts > listed {
        writeln!(f, "  … and {} more", attempts - listed)?;
    }
    write!(
        f,
        "  {attempts} attempts in all, over about {}; then dead letter",
        shown_roughly(Duration::from_millis(span_ms))
    )
}

#[cfg(test)]
mod tests;
