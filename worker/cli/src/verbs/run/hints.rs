//! Which commands to try next.

use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroU32;

use longshore::Connection;
use longshore::core::{QueueName, Result};

use crate::session::Session;
use crate::settings::StoreSetting;

/// How many queues are looked at.
const QUEUES: NonZeroU32 = NonZeroU32::new(100).expect("100 is not zero");

/// Prints them to stderr. They are a courtesy: trouble with the store is not told twice.
pub(super) async fn print(connection: &Connection, store: &StoreSetting, session: &Session) {
    if session.quiet() || session.json() {
        return;
    }
    let Ok(dead) = dead_queue(connection).await else {
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

/// A queue with dead letters: the one that has most.
async fn dead_queue(connection: &Connection) -> Result<Option<QueueName>> {
    let admin = &connection.backend().admin;
    let mut most = (0, None);
    for queue in admin.queues(None, QUEUES).await?.items {
        let dead = admin.stats(&queue).await?.map_or(0, |stats| stats.dead);
        if dead > most.0 {
            most = (dead, Some(queue));
        }
    }
    Ok(most.1)
}
