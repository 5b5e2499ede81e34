//! The labels that failures of a route can have.

use longshore_core::{Label, nearest};

use crate::model::route::Route;

/// What failures can be called, and how many segments may follow.
const LABELS: &[(&str, &[&str])] = &[
    ("exec", &["exit", "signal", "timeout", "start", "output"]),
    (
        "http",
        &["timeout", "connect", "address", "response", "url"],
    ),
    ("forward", &["unavailable", "overloaded", "refused"]),
    ("aggregate", &["key", "unavailable", "refused"]),
    ("file", &["io"]),
    ("host", &["shortage"]),
    ("template", &[]),
    ("decode", &[]),
    ("panic", &[]),
    ("timeout", &[]),
    ("handler", &[]),
];

/// Why no failure of this route has a label that `pattern` takes, in words; `None` if one may.
pub(crate) fn never_matches(route: &Route, pattern: &Label, at_route: bool) -> Option<String> {
    let mut segments = pattern.as_str().split('.');
    let first = segments.next().unwrap_or_default();
    let Some((_, seconds)) = LABELS.iter().find(|(name, _)| *name == first) else {
        let near = nearest(first, LABELS.iter().map(|(name, _)| *name));
        return Some(near.map_or_else(
            || match first.parse::<u16>() {
                Ok(status) if (100..1000).contains(&status) => {
                    format!("did you mean \"http.{status}\"?")
                }
                _ => "labels begin with exec, http, forward, aggregate, file, host, template, decode, panic, timeout or handler".to_owned(),
            },
            |near| format!("did you mean {near:?}?"),
        ));
    };
    if at_route && !route.has_step(first) {
        return Some(format!("the route has no {first} step"));
    }
    let second = segments.next()?;
    if first == "handler" {
        return None;
    }
    let status = first == "http"
        && second
            .parse::<u16>()
            .is_ok_and(|n| (100..1000).contains(&n));
    if status || seconds.contains(&second) {
        return None;
    }
    if first == "http" && second.chars().all(|c| c.is_ascii_digit()) {
        return Some(
            "whole segments are compared: http takes every status, http.503 takes one".into(),
        );
    }
    let near = nearest(second, seconds.iter().copied());
    Some(near.map_or_else(
        || format!("behind {first} there are {}", listed(seconds)),
        |near| format!("did you mean {first}.{near}?"),
    ))
}

fn listed(words: &[&str]) -> String {
    if words.is_empty() {
        return "no further segments".to_owned();
    }
    words.join(", ")
}
