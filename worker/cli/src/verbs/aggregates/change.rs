//! `aggregates close` and `aggregates discard`.

use std::sync::Arc;

use longshore::AggregateKey;
use longshore::core::{
    AggregateStore, Changed, Epoch, EpochChange, EpochInfo, EpochState, Timestamp,
};
use serde::Serialize;

use super::walk::{Walk, existing, store_of};
use crate::args::AggregatesChangeArgs;
use crate::confirm::confirm;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, counted};
use crate::session::Session;

/// How many are changed in one call: others get their turn in between.
const BATCH: usize = 200;

/// What is printed of it.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    aggregate: &'a str,
    matched: u64,
    applied: u64,
    leased: u64,
    dry_run: bool,
}

pub(super) async fn perform(
    args: AggregatesChangeArgs,
    change: EpochChange,
    session: &Session,
) -> Result<Exit> {
    let connection = session.open().await?;
    let store = store_of(&connection)?;
    existing(store, &args.name).await?;
    let found = matching(store, &args, change, connection.clock().now()).await?;
    let mut answer = Answer {
        aggregate: args.name.as_str(),
        matched: found.len() as u64,
        applied: 0,
        leased: 0,
        dry_run: args.dry_run,
    };
    if found.is_empty() {
        return Err(CliError::nothing_matched(format!(
            "no epoch of the aggregate \"{}\" matches; `longshore aggregates list {}` shows them",
            args.name, args.name
        )));
    }
    if !args.dry_run {
        if args.keys.is_empty() || change == EpochChange::Discard {
            confirm(
                args.yes,
                &question(change, answer.matched, args.name.as_str()),
            )?;
        }
        for part in found.chunks(BATCH) {
            let outcomes = store.change(&args.name, part).await.map_err(|error| {
                let so_far = format!("{} were {} before it", answer.applied, done(change));
                CliError::from(error).and_so_far(so_far)
            })?;
            let count = |wanted: Changed| outcomes.iter().filter(|one| **one == wanted).count();
            answer.applied += count(Changed::Applied) as u64;
            answer.leased += count(Changed::Leased) as u64;
        }
    }
    print(&answer, change, session)
}

fn question(change: EpochChange, count: u64, name: &str) -> String {
    let what = counted(count, "epoch");
    match change {
        EpochChange::Close => format!("close {what} of aggregate \"{name}\""),
        EpochChange::Discard => {
            format!("discard {what} of aggregate \"{name}\" with all parts for good")
        }
    }
}

fn done(change: EpochChange) -> &'static str {
    match change {
        EpochChange::Close => "closed",
        EpochChange::Discard => "discarded",
    }
}

/// The epochs that are meant; only open ones can be closed.
async fn matching(
    store: &Arc<dyn AggregateStore>,
    args: &AggregatesChangeArgs,
    change: EpochChange,
    now: Timestamp,
) -> Result<Vec<(AggregateKey, Epoch, EpochChange)>> {
    let keys: Vec<_> = match args.keys.as_slice() {
        [] => vec![None],
        keys => keys.iter().map(Some).collect(),
    };
    let is_open = |epoch: &EpochInfo| matches!(epoch.state, EpochState::Open { .. });
    let mut found = Vec::new();
    for key in keys {
        let mut walk = Walk::new(store, &args.name, key, &args.conditions, now);
        while let Some(page) = walk.next().await? {
            let meant = page
                .into_iter()
                .filter(|epoch| change == EpochChange::Discard || is_open(epoch));
            found.extend(meant.map(|epoch| (epoch.key, epoch.epoch, change)));
        }
    }
    Ok(found)
}

fn print(answer: &Answer<'_>, change: EpochChange, session: &Session) -> Result<Exit> {
    if session.json() {
        Stdout::json(answer)?;
    } else if answer.dry_run {
        let what = counted(answer.matched, "epoch");
        Stdout::text(&format!("{what} would be {}", done(change)))?;
    } else {
        let what = counted(answer.applied, "epoch");
        Stdout::text(&format!("{what} {}", done(change)))?;
    }
    if answer.leased > 0 {
        session.note(format!(
            "{} being released by a worker and left alone",
            counted(answer.leased, "epoch")
        ));
        return Ok(Exit::Partial);
    }
    Ok(Exit::Done)
}
