//! `delete`: forgets a queue in which nothing is.

use longshore::core::Deleted;
use serde::Serialize;

use crate::args::DeleteArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, counted};
use crate::session::{Session, existing};

/// What is printed of it.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    queue: &'a str,
    deleted: bool,
}

pub(in crate::verbs) async fn perform(args: DeleteArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let (backend, queue) = (connection.backend(), &args.queue);
    let stats = existing(backend, queue).await?;
    if backend.admin.delete(queue).await? == Deleted::NotEmpty {
        let (live, dead) = (stats.live(), stats.dead);
        let (live, dead) = (counted(live, "message"), counted(dead, "dead letter"));
        return Err(CliError::new(
            Exit::Partial,
            format!(
                "queue \"{queue}\" holds {live} and {dead}; `longshore purge {queue}` and \
                 `longshore dead discard {queue}` remove them, or `longshore move` takes them along"
            ),
        ));
    }
    if session.json() {
        Stdout::json(&Answer {
            queue: queue.as_str(),
            deleted: true,
        })?;
    } else {
        Stdout::text(&format!("queue \"{queue}\" is deleted"))?;
    }
    Ok(Exit::Done)
}
