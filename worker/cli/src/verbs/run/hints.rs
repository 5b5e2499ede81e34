//! Which commands to try next.

use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroU32;

use longshore::Connection;
use longshore::core::{QueueName, Result};
use longshore::routes::Summary;

use crate::session::Session;
use crate::settings::StoreSetting;

/// How many queues are looked at.
const QUEUES: NonZeroU32 = NonZeroU32::new(100).expect("100 is not zero");

/// Prints them to stderr. They are a courtesy: trouble with the store is not told twice.
pub(super) async fn print(
    summary: &Summary,
    connection: &Connection,
    store: &StoreSetting,
    session: &Session,
) {
    if session.quiet() || session.json() {
        return;
    }
    let Ok(dead) = dead_queue(connection).await else {
        return;
    };
    let longshore = format!("longshore {}", store.option_for_others());
    let mut text = String::from("\nTry next:\n");
    if let Some(queue) = dead {
        let _ = writeln!(
            text,
            "  {longshore}dead list {queue} --group-by error   # what failed, and how often"
        );
        let _ = writeln!(
            text,
            "  {longshore}dead show {queue} ID                # one of them with its history"
        );
        let _ = writeln!(
            text,
            "  {longshore}dead redrive {queue} --yes           # once mended, try them again"
        );
    } else if summary.acked == 0 {
        let _ = writeln!(
            text,
            "  {longshore}enqueue QUEUE 'some text'            # give it something to do"
        );
    }
    let _ = writeln!(text, "  {longshore}queues");
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
