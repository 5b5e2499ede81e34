//! `dead list`.

use std::num::NonZeroU32;

use longshore::core::{Backend, Cursor, Timestamp};

use crate::args::DeadListArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, Table, escape};
use crate::session::{Session, existing};
use crate::shape::DeadRow;
use crate::where_filter::all_take;

/// How many are read at a time; each may hold a whole body.
const PAGE_MAX: u32 = 200;
/// How many characters of an error are shown.
const ERROR_SHOWN: usize = 80;

pub(super) async fn perform(args: DeadListArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    existing(backend, &args.queue).await?;
    let (rows, next) = read(backend, &args, connection.clock().now()).await?;
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
) -> Result<(Vec<DeadRow>, Option<Cursor>)> {
    let limit = args.limit.get() as usize;
    let admin = &backend.admin;
    let mut rows = Vec::new();
    let mut after = args.after.clone().map(Cursor::new);
    loop {
        let max = page_max(args, rows.len());
        let page = admin.dead_letters(&args.queue, after.as_ref(), max).await?;
        let seen = page.items.len();
        for (index, stored) in page.items.iter().enumerate() {
            if !all_take(&args.conditions, stored, now) {
                continue;
            }
            rows.push(DeadRow::of(&args.queue, stored));
            if rows.len() < limit {
                continue;
            }
            // A list that ends inside a page: ask again for just this much, for its cursor.
            let next = match NonZeroU32::new(index as u32 + 1) {
                Some(read) if (read.get() as usize) < seen => {
                    let again = admin
                        .dead_letters(&args.queue, after.as_ref(), read)
                        .await?;
                    again.next
                }
                _ => page.next,
            };
            return Ok((rows, next));
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok((rows, None)),
        }
    }
}

/// How many to read next: without conditions never more than are wanted.
fn page_max(args: &DeadListArgs, found: usize) -> NonZeroU32 {
    let left = if args.conditions.is_empty() {
        args.limit.get().saturating_sub(found as u32)
    } else {
        PAGE_MAX
    };
    NonZeroU32::new(left.min(PAGE_MAX)).unwrap_or(NonZeroU32::MIN)
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
