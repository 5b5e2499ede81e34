//! `dead list`.

use std::num::NonZeroU32;

use longshore::core::{Backend, Cursor, StoredMessage, Timestamp};

use crate::args::DeadListArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, Table, escape};
use crate::session::{Session, existing};
use crate::shape::DeadRow;
use crate::where_filter::all_take;

/// How many are read at a time where conditions leave some out.
const PAGE_MAX: u32 = 500;
/// How many characters of an error are shown.
const ERROR_SHOWN: usize = 80;

pub(super) async fn perform(args: DeadListArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    existing(backend, &args.queue).await?;
    let (found, next) = read(backend, &args, connection.clock().now()).await?;
    let rows: Vec<DeadRow> = found
        .iter()
        .map(|stored| DeadRow::of(&args.queue, stored))
        .collect();
    if session.json() {
        Stdout::json(&rows)?;
    } else {
        Stdout::text(&table(&rows))?;
    }
    if let Some(next) = next {
        session.note(format_args!("there are more: --after {}", next.as_str()));
    }
    Ok(Exit::Done)
}

/// The matching ones up to the limit, and the cursor behind the last of them.
async fn read(
    backend: &Backend,
    args: &DeadListArgs,
    now: Timestamp,
) -> Result<(Vec<StoredMessage>, Option<Cursor>)> {
    let limit = args.limit.get() as usize;
    let page_max = if args.conditions.is_empty() {
        args.limit
    } else {
        NonZeroU32::new(PAGE_MAX).unwrap_or(args.limit)
    };
    let admin = &backend.admin;
    let mut found = Vec::new();
    let mut after = args.after.clone().map(Cursor::new);
    loop {
        let page = admin
            .dead_letters(&args.queue, after.as_ref(), page_max)
            .await?;
        let seen = page.items.len();
        for (index, stored) in page.items.into_iter().enumerate() {
            if !all_take(&args.conditions, &stored, now) {
                continue;
            }
            found.push(stored);
            let read =
                NonZeroU32::new(index as u32 + 1).filter(|read| (read.get() as usize) < seen);
            if found.len() == limit {
                // The list ends inside a page: ask again for just this much, for its cursor.
                let next = match read {
                    Some(read) => {
                        admin
                            .dead_letters(&args.queue, after.as_ref(), read)
                            .await?
                            .next
                    }
                    None => page.next,
                };
                return Ok((found, next));
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok((found, None)),
        }
    }
}

fn table(rows: &[DeadRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["ID", "KIND", "REASON", "#ATTEMPTS", "DEAD SINCE", "ERROR"]);
    for row in rows {
        table.row([
            row.id.as_str(),
            row.kind.as_deref().unwrap_or("(damaged)"),
            row.reason.unwrap_or_default(),
            &row.attempts.to_string(),
            row.dead_at.as_deref().unwrap_or_default(),
            &escape::cut(row.error.as_deref().unwrap_or_default(), ERROR_SHOWN),
        ]);
    }
    table.render()
}
