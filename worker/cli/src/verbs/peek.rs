//! `peek`: looks at messages without leasing them.

use std::num::NonZeroU32;

use longshore::core::{Cursor, PageSize, StoredMessage};

use crate::args::PeekArgs;
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, Table, body_preview};
use crate::parse::rfc3339;
use crate::session::{Session, existing};
use crate::shape::Peeked;
use crate::where_filter::all_take;

/// How many characters of a body are shown.
const PREVIEW: usize = 60;

pub(super) async fn perform(args: PeekArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    let backend = connection.backend();
    existing(backend, &args.queue).await?;
    let limit = args.limit.get() as usize;
    let now = connection.clock().now();
    let (mut after, mut size) = (args.after.map(Cursor::new), PageSize::default());
    let mut items = Vec::new();
    let next = loop {
        // Without conditions each that is read is shown.
        let left = u32::try_from(limit - items.len()).unwrap_or(u32::MAX);
        let max = size
            .get()
            .min(NonZeroU32::new(left).unwrap_or(NonZeroU32::MIN));
        let page = backend.admin.peek(&args.queue, after.as_ref(), max).await?;
        size.saw(&page.items);
        let mut found = page.items;
        found.retain(|one| all_take(&args.conditions, one, now));
        items.append(&mut found);
        if page.next.is_none() || items.len() >= limit {
            break page.next;
        }
        after = page.next;
    };
    if session.json() {
        let rows: Vec<Peeked> = items
            .iter()
            .map(|stored| Peeked::of(&args.queue, stored))
            .collect();
        Stdout::json(&rows)?;
    } else {
        Stdout::text(&table(&items))?;
    }
    if let Some(next) = next {
        session.note(format_args!("there are more: --after {}", next.as_str()));
    }
    Ok(Exit::Done)
}

fn table(items: &[StoredMessage]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["ID", "KIND", "STATE", "#ATTEMPTS", "DUE", "GROUP", "BODY"]);
    for stored in items {
        table.row([
            stored.id().to_string(),
            stored
                .kind()
                .map_or_else(|| "(damaged)".into(), ToString::to_string),
            stored.state.as_str().to_owned(),
            stored.attempts.to_string(),
            rfc3339(stored.due_at),
            stored.group().map(ToString::to_string).unwrap_or_default(),
            stored
                .message()
                .map(|message| body_preview(&message.body, PREVIEW))
                .unwrap_or_default(),
        ]);
    }
    table.render()
}
