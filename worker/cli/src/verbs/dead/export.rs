//! `dead export`: dead letters whole, as JSON lines.

use longshore::Connection;
use longshore::core::{QueueStats, StoredMessage};

use super::walk::Walk;
use crate::args::{DeadExportArgs, DeadSelection};
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, complain};
use crate::session::{Session, existing};
use crate::shape::Exported;
use crate::verbs::show;

pub(super) async fn perform(args: DeadExportArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let selection = args.selection;
    let stats = existing(connection.backend(), &selection.queue).await?;
    if selection.id.is_empty() {
        export_all(&connection, &selection, &stats).await
    } else {
        export_ids(&connection, &selection).await
    }
}

async fn export_all(
    connection: &Connection,
    selection: &DeadSelection,
    stats: &QueueStats,
) -> Result<Exit> {
    let mut walk = Walk::new(
        connection.backend(),
        selection,
        stats,
        connection.clock().now(),
    );
    while let Some(found) = walk.next().await? {
        // Page by page: a reader that stops early stops the export.
        let mut stdout = Stdout::lock();
        for stored in &found {
            stdout.json_line(&Exported::of(&selection.queue, stored))?;
        }
        stdout.finish()?;
    }
    Ok(Exit::Done)
}

async fn export_ids(connection: &Connection, selection: &DeadSelection) -> Result<Exit> {
    let mut missing = None;
    let mut exported = 0;
    for id in &selection.id {
        let found = show::find(connection, &selection.queue, *id).await;
        match found.map(is_dead) {
            Ok(Some(stored)) => {
                exported += 1;
                Stdout::json(&Exported::of(&selection.queue, &stored))?;
            }
            Ok(None) => {
                complain(format_args!("message {id} is no dead letter"));
                missing = Some(Exit::NothingMatched);
            }
            Err(error) if error.exit() == Exit::NothingMatched => {
                error.report();
                missing = Some(Exit::NothingMatched);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(match missing {
        Some(_) if exported > 0 => Exit::Partial,
        Some(exit) => exit,
        None => Exit::Done,
    })
}

fn is_dead(stored: Box<StoredMessage>) -> Option<Box<StoredMessage>> {
    stored.dead().is_some().then_some(stored)
}
