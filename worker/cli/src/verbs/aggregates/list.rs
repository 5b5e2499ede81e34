//! `aggregates list`.

use longshore::core::{AggregateInfo, EpochInfo, EpochState, Timestamp};
use longshore::{AggregateName, Connection};

use super::walk::{Walk, all, existing, store_of};
use crate::args::AggregatesListArgs;
use crate::epoch_filter::state_word;
use crate::error::Result;
use crate::exit::Exit;
use crate::output::{Stdout, Table, age, counted};
use crate::session::Session;
use crate::shape::{AggregateRow, EpochRow};

pub(super) async fn perform(args: AggregatesListArgs, session: &Session) -> Result<Exit> {
    let connection = session.open().await?;
    match &args.name {
        None => aggregates(&connection, session).await,
        Some(name) => epochs(&connection, name, &args, session).await,
    }
}

async fn aggregates(connection: &Connection, session: &Session) -> Result<Exit> {
    let infos = all(store_of(connection)?).await?;
    if session.json() {
        let rows: Vec<_> = infos.iter().map(AggregateRow::of).collect();
        Stdout::json(&rows)?;
    } else if infos.is_empty() {
        session.note("there are no aggregates yet");
    } else {
        let now = connection.clock().now();
        Stdout::text(&overview(&infos, now))?;
        for info in infos.iter().filter(|info| info.outgoing > 0) {
            let waits = info.outgoing_since.map(|at| age(now.since(at)));
            session.note(format!(
                "{}: {} for other data centres, the oldest since {}",
                info.name,
                counted(info.outgoing, "part"),
                waits.unwrap_or_default()
            ));
        }
    }
    Ok(Exit::Done)
}

fn overview(infos: &[AggregateInfo], now: Timestamp) -> String {
    let mut table = Table::new(&[
        "AGGREGATE",
        "#OPEN",
        "#PARTS",
        "#CLOSED",
        "#RELEASED",
        "#DEAD",
        "#DROPPED",
        "#NEXT IN",
    ]);
    for info in infos {
        table.row([
            info.name.to_string(),
            info.open_epochs.to_string(),
            info.open.to_string(),
            info.closed_epochs.to_string(),
            info.released.to_string(),
            info.dead.to_string(),
            (info.dropped + info.discarded).to_string(),
            until(info.next, now),
        ]);
    }
    table.render()
}

fn until(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| "-".into(), |at| age(at.since(now)))
}

async fn epochs(
    connection: &Connection,
    name: &AggregateName,
    args: &AggregatesListArgs,
    session: &Session,
) -> Result<Exit> {
    let store = store_of(connection)?;
    existing(store, name).await?;
    let now = connection.clock().now();
    let limit = args.limit.get() as usize;
    let mut walk = Walk::new(store, name, None, &args.conditions, now);
    let mut found: Vec<EpochInfo> = Vec::new();
    let mut more = false;
    while let Some(page) = walk.next().await? {
        found.extend(page);
        if found.len() > limit {
            more = true;
            break;
        }
    }
    found.truncate(limit);
    if session.json() {
        let rows: Vec<_> = found.iter().map(EpochRow::of).collect();
        Stdout::json(&rows)?;
    } else if found.is_empty() {
        session.note("no epoch matches");
    } else {
        Stdout::text(&table(&found, now))?;
        if more {
            session.note(format!(
                "these are the first {}; --limit shows more",
                counted(limit as u64, "epoch")
            ));
        }
    }
    Ok(Exit::Done)
}

/// A line for each epoch.
pub(super) fn table(epochs: &[EpochInfo], now: Timestamp) -> String {
    let mut table = Table::new(&[
        "KEY", "#EPOCH", "STATE", "#PARTS", "#BYTES", "#MISSING", "#AGE", "#DUE IN",
    ]);
    for epoch in epochs {
        let (state, due) = match epoch.state {
            EpochState::Closed {
                by, leased_until, ..
            } => {
                let held = leased_until.map_or("", |_| ", being released");
                (format!("closed by {}{held}", by.as_str()), "-".to_owned())
            }
            EpochState::Open { due } => ("open".to_owned(), until(due, now)),
            other => (state_word(&other).to_owned(), "-".to_owned()),
        };
        table.row([
            epoch.key.to_string(),
            epoch.epoch.to_string(),
            state,
            epoch.parts.to_string(),
            epoch.bytes.to_string(),
            epoch
                .missing()
                .map_or_else(|| "-".into(), |missing| missing.to_string()),
            age(now.since(epoch.opened_at)),
            due,
        ]);
    }
    table.render()
}
