//! Which commands to try next.

use std::fmt::Write as _;
use std::io::Write as _;

use longshore::Connection;
use longshore::core::{QueueName, Result};
use longshore::routes::RouteSet;

use crate::session::Session;
use crate::settings::StoreSetting;

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
    let Ok(dead) = dead_queue(set, connection).await else {
        return;
    };
    let longshore = format!("longshore {}", store.option_for_others());
    let mut hints: Vec<(String, &str)> = Vec::new();
    if let Some(queue) = dead {
        hints.push((
            format!("dead list {queue} --group-by error"),
            "what failed, and how often",
        ));
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
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The queue of these routes that has most dead letters; `None` if none has any.
async fn dead_queue(set: &RouteSet, connection: &Connection) -> Result<Option<QueueName>> {
    let admin = &connection.backend().admin;
    let mut most = (0, None);
    for route in set.graph().routes {
        let Ok(queue) = QueueName::new(&route.queue) else {
            continue;
        };
        let dead = admin.stats(&queue).await?.map_or(0, |stats| stats.dead);
        if dead > most.0 {
            most = (dead, Some(queue));
        }
    }
    Ok(most.1)
}
