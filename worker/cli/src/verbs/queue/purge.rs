//! `purge`: removes all waiting and delayed messages of a queue.

use std::num::NonZeroU32;

use serde::Serialize;

use crate::args::PurgeArgs;
use crate::confirm::confirm;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, counted};
use crate::progress::Progress;
use crate::session::{Session, existing};

/// How many are removed in one call: others get their turn in between.
const BATCH: NonZeroU32 = NonZeroU32::new(1000).expect("1000 is not zero");

/// What is printed of it.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    queue: &'a str,
    removed: u64,
    dry_run: bool,
}

pub(in crate::verbs) async fn perform(args: PurgeArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    let stats = existing(backend, &args.queue).await?;
    let there = stats.waiting + stats.delayed;
    let what = counted(there, "message");
    let queue = &args.queue;
    if !args.dry_run {
        confirm(
            args.yes,
            &format!("remove {what} from queue \"{queue}\" for good"),
        )?;
    }
    let removed = if args.dry_run {
        there
    } else {
        let progress = Progress::new(session.quiet(), "removed", Some(there));
        let mut removed = 0;
        loop {
            let purged = backend.admin.purge(queue, BATCH).await.map_err(|error| {
                CliError::from(error).and_so_far(format!("{removed} were removed before it"))
            })?;
            removed += purged.removed;
            progress.advance(purged.removed);
            if purged.removed == 0 && purged.more {
                return Err(CliError::new(
                    Exit::Damaged,
                    format!(
                        "{removed} were removed, and then a round removed none although the store \
                         says that there are more; `longshore fsck {queue}` tells what is wrong"
                    ),
                ));
            }
            // What came in meanwhile is not meant; without this a busy producer would keep the
            // purge going forever.
            if !purged.more || (stats.exact && removed >= there) {
                break removed;
            }
        }
    };
    if session.json() {
        Stdout::json(&Answer {
            queue: queue.as_str(),
            removed,
            dry_run: args.dry_run,
        })?;
    } else {
        let verb = if args.dry_run {
            "would be removed"
        } else {
            "removed"
        };
        Stdout::text(&format!("{} {verb}", counted(removed, "message")))?;
    }
    Ok(Exit::Done)
}
