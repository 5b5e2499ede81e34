//! `[[route]]`: one route.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Clause, JobKind, QueueName, RouteName, nearest};

use crate::ConfigError;
use crate::intake::queue_of;
use crate::load::assemble::inherited::Inherited;
use crate::load::read::{Document, Mark, Node, shown};
use crate::model::mistakes::Mistakes;
use crate::model::policies;
use crate::model::route::{Glob, Intake, Route};
use crate::steps::{Action, Step};

const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Builds a route, or tells all that is wrong with its policy, its clauses and its steps.
pub(super) fn build(
    inherited: &Inherited,
    document: &Arc<Document>,
    table: &Node,
) -> Result<Route, Mistakes> {
    let wrong = |error: longshore_core::NameError| document.error(&table.span, error.to_string());
    let name = RouteName::new(table.text("name").unwrap_or_default()).map_err(wrong)?;
    let from = table.get("from").unwrap_or(table);
    let intake = intake(document, from)?;
    let queue = match (&intake, from.text("queue")) {
        (Intake::Queue, Some(queue)) => QueueName::new(queue),
        _ => queue_of(name.as_str()),
    };
    let mut mistakes = Mistakes::default();
    let mut changes = Vec::new();
    if let Some(policy) = table.get("policy") {
        changes.extend(mistakes.keep(named_or_own(inherited, document, policy)));
    }
    let mut clauses = policies::clauses(document, table, true, &mut mistakes);
    clauses.extend(inherited.clauses.iter().cloned());
    let (clauses, marks): (Vec<Clause>, Vec<Mark>) = clauses.into_iter().unzip();
    let mut steps = Vec::new();
    for step in table.items("step") {
        steps.extend(mistakes.keep(Step::of(document, step)));
    }
    if table.items("step").is_empty() {
        let error = document.error(&table.span, format!("the route {name} has no step"));
        mistakes.0.push(error.hint("add a [[route.step]]"));
    }
    for step in &mut steps {
        if let Action::Aggregate(step) = &mut step.action {
            step.name_by(&name);
        }
    }
    mistakes.keep(nothing_follows(&steps));
    mistakes.none()?;
    let kind = from.text("kind").map(JobKind::new).transpose();
    Ok(Route {
        place: Mark::new(document, &table.get("name").unwrap_or(table).span),
        queue: queue.map_err(wrong)?,
        kind: kind.map_err(wrong)?,
        policy: policies::inherit(&inherited.policy, &changes, clauses),
        clauses: marks,
        concurrency: table.whole("concurrency").map(|n| n as usize),
        lease: table.duration("lease"),
        timeout: table.duration("timeout").unwrap_or(TIMEOUT),
        restarts: table.text("resume") == Some("start"),
        defers: defers(table, &intake),
        steps_hash: hash(table.items("step")),
        steps,
        intake,
        name,
    })
}

/// What is a part of an aggregate is done: no step can follow.
fn nothing_follows(steps: &[Step]) -> Result<(), ConfigError> {
    let all_but_last = steps.split_last().map_or(&[][..], |(_, before)| before);
    let found = all_but_last.iter().find_map(|step| match &step.action {
        Action::Aggregate(step) => Some(step),
        _ => None,
    });
    found.map_or(Ok(()), |step| {
        let message = "an aggregate step is the last one: what it collects goes on in its queue";
        let hint = format!(
            "write the other steps into a route from the queue {}",
            step.to
        );
        Err(step.place.error(message).hint(hint))
    })
}

/// Whether the route goes on at shutdown: for what other routes still send here, or for what
/// its own intake has fed. A queue's route never holds more than what is running, so there
/// `running_tasks = "all"` and `"current"` are the same.
fn defers(table: &Node, intake: &Intake) -> bool {
    let fed = intake.glob().is_some() && table.text("running_tasks") == Some("all");
    fed || table.text("shutdown") == Some("defer")
}

fn named_or_own(
    inherited: &Inherited,
    document: &Document,
    policy: &Node,
) -> Result<longshore_core::PolicyChange, ConfigError> {
    let Some(name) = policy.as_text() else {
        return policies::change(document, policy);
    };
    inherited.policies.get(name).cloned().ok_or_else(|| {
        let error = document.error(&policy.span, format!("there is no policy {}", shown(name)));
        let names = inherited.policies.keys().map(String::as_str);
        error.hint(nearest(name, names).map_or_else(
            || format!("add [policies.{name}]"),
            |near| format!("did you mean {near:?}?"),
        ))
    })
}

fn intake(document: &Arc<Document>, from: &Node) -> Result<Intake, ConfigError> {
    let sources: Vec<_> = ["queue", "file", "lines"]
        .into_iter()
        .filter(|key| from.get(key).is_some())
        .collect();
    let source = match sources[..] {
        [source] => source,
        [] => {
            let error = document.error(&from.span, "from says nothing of where messages come from");
            return Err(error.hint("it needs one of queue, file, lines"));
        }
        [first, second, ..] => {
            let message = format!("a route has one source, here are {first} and {second}");
            return Err(document.error(from.key_span(second), message));
        }
    };
    let misplaced: &[&str] = match source {
        "queue" => &["after", "as_kind", "shared"],
        "file" => &["kind"],
        _ => &["kind", "after"],
    };
    if let Some(key) = misplaced.iter().find(|key| from.get(key).is_some()) {
        let error = document.error(
            from.key_span(key),
            format!("{key} has no meaning beside {source}"),
        );
        let hint = if *key == "kind" {
            "write as_kind for the kind of what is read"
        } else {
            ""
        };
        return Err(error.hint(hint));
    }
    if source == "queue" {
        return Ok(Intake::Queue);
    }
    let glob = glob(document, from, source)?;
    Ok(match source {
        "file" => Intake::Files {
            glob,
            delete: from.text("after") == Some("delete"),
        },
        _ => Intake::Lines { glob },
    })
}

fn glob(document: &Arc<Document>, from: &Node, key: &str) -> Result<Glob, ConfigError> {
    let value = from.get(key).unwrap_or(from);
    let wrong = |message: String| document.error(&value.span, message);
    let text = value.as_text().unwrap_or_default();
    if text.is_empty() {
        return Err(wrong(format!("{key} names no file")));
    }
    glob::Pattern::new(text)
        .map_err(|error| wrong(format!("{key} is no pattern: {}", error.msg)))?;
    let pattern = if text.starts_with('/') {
        text.to_owned()
    } else {
        let folder = document.folder.to_str().ok_or_else(|| {
            wrong("the folder of this file has a name that is not UTF-8, in which no file can be looked for".into())
        })?;
        format!("{}/{text}", glob::Pattern::escape(folder))
    };
    let kind = from.text("as_kind").map(JobKind::new).transpose();
    Ok(Glob {
        written: value.written().to_owned(),
        pattern,
        kind: kind
            .map_err(|error| wrong(error.to_string()))?
            .unwrap_or_default(),
        shared: from.flag("shared").unwrap_or(false),
    })
}

/// A hash of what the steps say, whatever their layout.
fn hash(steps: &[Node]) -> u128 {
    let canonical: Vec<_> = steps.iter().map(Node::canonical).collect();
    xxhash_rust::xxh3::xxh3_128(canonical.join("\n").as_bytes())
}
