//! `cancel`: removes messages that no worker has yet, by their ids or all that match.

use longshore::Connection;
use longshore::core::{Changed, MessageId, MessageState, PageSize, StoredMessage};
use serde_json::json;

use super::changed;
use crate::args::CancelArgs;
use crate::confirm::confirm;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, counted};
use crate::session::{Session, existing};
use crate::where_filter::all_take;

pub(super) async fn perform(args: CancelArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    existing(backend, &args.queue).await?;
    if args.conditions.is_empty() {
        let outcomes = changed::in_parts(backend, &args.id, async |part| {
            backend.admin.cancel(&args.queue, part).await
        })
        .await?;
        return changed::print(&args.id, &outcomes, "cancelled", session);
    }
    matching(&connection, &args, session).await
}

/// Cancels what matches. Those that a worker has are left alone and counted.
async fn matching(connection: &Connection, args: &CancelArgs, session: &Session) -> Result<Exit> {
    let Found { ids, leased } = find(connection, args).await?;
    let what = counted(ids.len() as u64, "message");
    if args.dry_run {
        return print(ids.len(), leased, true, session);
    }
    confirm(
        args.yes,
        &format!("remove {what} from queue \"{}\" for good", args.queue),
    )?;
    let backend = connection.backend();
    let outcomes = changed::in_parts(backend, &ids, async |part| {
        backend.admin.cancel(&args.queue, part).await
    })
    .await?;
    let count = |wanted| outcomes.iter().filter(|one| **one == wanted).count();
    print(
        count(Changed::Applied),
        leased + count(Changed::Leased),
        false,
        session,
    )
}

/// What matches.
#[derive(Debug, Default)]
struct Found {
    /// What nobody has; each is 16 bytes.
    ids: Vec<MessageId>,
    /// How many workers have.
    leased: usize,
}

async fn find(connection: &Connection, args: &CancelArgs) -> Result<Found> {
    let now = connection.clock().now();
    let (mut found, mut after, mut size) = (Found::default(), None, PageSize::default());
    loop {
        let admin = &connection.backend().admin;
        let page = admin.peek(&args.queue, after.as_ref(), size.get()).await?;
        size.saw(&page.items);
        let matches = |one: &&StoredMessage| all_take(&args.conditions, one, now);
        for one in page.items.iter().filter(matches) {
            match one.state {
                MessageState::Leased { .. } => found.leased += 1,
                _ => found.ids.push(one.id()),
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

fn print(cancelled: usize, leased: usize, dry_run: bool, session: &Session) -> Result<Exit> {
    if session.json() {
        Stdout::json(&json!({ "cancelled": cancelled, "leased": leased, "dry_run": dry_run }))?;
    } else {
        let verb = if dry_run {
            "would be cancelled"
        } else {
            "cancelled"
        };
        Stdout::text(&format!("{} {verb}", counted(cancelled as u64, "message")))?;
    }
    if leased > 0 {
        let some = counted(leased as u64, "message");
        return Err(CliError::new(
            Exit::Partial,
            format!("{some} in the hands of workers: left alone"),
        ));
    }
    Ok(Exit::Done)
}
