//! Error policies: what routes inherit, and what clauses change.

use longshore_core::{
    Clause, ClauseAction, DelayTable, ErrorPolicy, Jitter, Label, PolicyChange, QueueName,
};

use std::sync::Arc;

use crate::ConfigError;
use crate::load::read::{Document, Mark, Node, shown};
use crate::model::mistakes::Mistakes;

/// The keys of a policy that a table sets.
pub(crate) fn change(document: &Document, node: &Node) -> Result<PolicyChange, ConfigError> {
    let jitter = node.get("jitter").map(|value| {
        let part = value.as_real();
        part.map_or(Jitter::Full, Jitter::Fraction)
    });
    let delays = node
        .get("delays")
        .map(|table| delays(document, table))
        .transpose()?;
    if let (Some(_), Some(value)) = (&delays, node.get("delay")) {
        let message = "delay has no effect beside delays, which replaces it";
        return Err(document.error(&value.span, message));
    }
    Ok(PolicyChange {
        redeliveries: node.whole("redeliveries").map(|n| n as u32),
        delay: node.duration("delay"),
        multiplier: node.real("multiplier"),
        delay_max: node.duration("delay_max"),
        jitter,
        delays,
    })
}

fn delays(document: &Document, table: &Node) -> Result<DelayTable, ConfigError> {
    let mut pairs = Vec::new();
    for (key, span, value) in table.entries() {
        let retry = key.parse::<u32>().map_err(|_| {
            let shown = crate::load::read::shown(key);
            document.error(
                span,
                format!("delays: {shown} is not the number of a retry"),
            )
        })?;
        pairs.push((retry, value.as_span().unwrap_or_default()));
    }
    DelayTable::new(pairs)
        .map_err(|reason| document.error(&table.span, format!("delays: {reason}")))
}

/// The error clauses of a route, or of all; no two may take the same label.
pub(crate) fn clauses(
    document: &Arc<Document>,
    table: &Node,
    at_route: bool,
    mistakes: &mut Mistakes,
) -> Vec<(Clause, Mark)> {
    let mut clauses: Vec<(Clause, Mark)> = Vec::new();
    for node in table.items("on_error") {
        let Some(one) = mistakes.keep(clause(document, node, at_route)) else {
            continue;
        };
        let same = clauses
            .iter()
            .find(|(other, _)| other.pattern == one.pattern);
        if let Some((_, other)) = same {
            let message = format!(
                "two clauses take {}, the other one at {other}",
                shown(one.pattern.as_str())
            );
            let span = node.get("match").map_or(&node.span, |label| &label.span);
            let error = document.error(span, message);
            mistakes
                .0
                .push(error.hint("write what they set into one clause"));
            continue;
        }
        clauses.push((one, Mark::new(document, &node.span)));
    }
    clauses
}

fn clause(document: &Document, node: &Node, at_route: bool) -> Result<Clause, ConfigError> {
    let change = change(document, node)?;
    let action = action(document, node)?;
    let retries = [
        "redeliveries",
        "delay",
        "multiplier",
        "delay_max",
        "jitter",
        "delays",
    ];
    if let (Some((_, name)), Some(key)) =
        (&action, retries.iter().find(|key| node.get(key).is_some()))
    {
        let message =
            format!("{key} has no effect beside {name}, which is done at the first failure");
        return Err(document.error(node.key_span(key), message));
    }
    if action.is_none() && change == PolicyChange::default() {
        let message = "the clause changes nothing";
        let hint = "set redeliveries, a delay, handled, continued, forward or dead_letter";
        return Err(document.error(&node.span, message).hint(hint));
    }
    Ok(Clause {
        pattern: Label::lossy(node.text("match").unwrap_or_default()),
        at_route,
        change,
        action: action.map(|(action, _)| action),
    })
}

/// What the clause does instead of a retry, and the key that says so.
fn action(
    document: &Document,
    node: &Node,
) -> Result<Option<(ClauseAction, &'static str)>, ConfigError> {
    let mut actions = Vec::new();
    if node.flag("handled") == Some(true) {
        actions.push((ClauseAction::Handled, "handled"));
    }
    if node.flag("continued") == Some(true) {
        actions.push((ClauseAction::Continued, "continued"));
    }
    if node.get("dead_letter").is_some() {
        actions.push((ClauseAction::DeadLetter, "dead_letter"));
    }
    if let Some(target) = node.get("forward") {
        let queue = QueueName::new(target.text("queue").unwrap_or_default())
            .map_err(|error| document.error(&target.span, error.to_string()))?;
        let store = target.text("store").map(str::to_owned);
        actions.push((ClauseAction::Forward { queue, store }, "forward"));
    }
    if let [(_, first), (_, second), ..] = &actions[..] {
        let message = format!("{second} excludes {first}: a clause does one thing");
        return Err(document.error(node.key_span(second), message));
    }
    Ok(actions.pop())
}

/// The policy of a route: the route's own keys over the global ones, clauses of both.
pub(crate) fn inherit(
    global: &ErrorPolicy,
    changes: &[PolicyChange],
    clauses: Vec<Clause>,
) -> ErrorPolicy {
    let mut policy = changes
        .iter()
        .fold(global.clone(), |policy, change| policy.with(change));
    policy.clauses.splice(0..0, clauses);
    policy
}
