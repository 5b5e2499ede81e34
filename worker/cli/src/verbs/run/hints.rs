//! Which commands to try next.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;

use longshore::Connection;
use longshore::core::{QueueName, Result};
use longshore_routes::RouteSet;

use crate::session::Session;
use crate::settings::StoreSetting;

/// Queues with dead letters that are named.
const QUEUES_MAX: usize = 5;

/// Prints them to stderr. They are a courtesy: trouble with the store is not told twice.
pub(super) async fn print(
    set: &RouteSet,
    connection: &Connection,
    store: &StoreSetting,
    session: &Session,
) {
    if session.quiet() || session.json() {
        return;
    }
    let Ok(dead) = dead_queues(set, connection).await else {
        return;
    };
    let longshore = format!("longshore {}", store.option_for_others());
    let mut hints: Vec<(String, &str)> = Vec::new();
    for queue in dead.iter().take(QUEUES_MAX) {
        hints.push((
            format!("dead list {queue} --group-by error"),
            "what failed, and how often",
        ));
    }
    if let Some(queue) = dead.first() {
        hints.push((
            format!("dead show {queue} ID"),
            "one of them with its history",
        ));
        hints.push((
            format!("dead redrive {queue} --yes"),
            "once mended: try them again",
        ));
    }
    hints.push(("queues".into(), "what is waiting where"));
    let width = hints.iter().map(|(hint, _)| hint.len()).max().unwrap_or(0);
    let mut text = String::from("\nTry next:\n");
    for (hint, why) in hints {
        let _ = writeln!(text, "  {longshore}{hint:<width$}   # {why}");
    }
    let _ = crate::output::sink::Stderr.write_all(text.as_bytes());
}

/// The queues of these routes that have dead letters, those with most of them first.
async fn dead_queues(set: &RouteSet, connection: &Connection) -> Result<Vec<QueueName>> {
    let admin = &connection.backend().admin;
    let routes = set.graph().routes;
    let names: BTreeSet<_> = routes.into_iter().map(|route| route.queue).collect();
    let mut found = Vec::new();
    for queue in names.iter().filter_map(|name| QueueName::new(name).ok()) {
        let dead = admin.stats(&queue).await?.map_or(0, |stats| stats.dead);
        if dead > 0 {
            found.push((Reverse(dead), queue));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, queue)| queue).collect())
}
