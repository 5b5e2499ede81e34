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
    let now = connection.clock().now();
    let mut answer = Answer {
        aggregate: args.name.as_str(),
        matched: 0,
        applied: 0,
        leased: 0,
        dry_run: args.dry_run,
    };
    // They are counted first: what is asked has a number in it.
    let mut meant = Meant::new(store, &args, change, now);
    while let Some(epochs) = meant.next().await? {
        answer.matched += epochs.len() as u64;
    }
    if answer.matched == 0 {
        return Err(CliError::nothing_matched(format!(
            "no epoch of the aggregate \"{}\" matches; `longshore aggregates list {}` shows them",
            args.name, args.name
        )));
    }
    if args.dry_run {
        return print(&answer, change, session);
    }
    if args.keys.is_empty() || change == EpochChange::Discard {
        let question = question(change, answer.matched, args.name.as_str());
        confirm(args.yes, &question)?;
    }
    answer.matched = 0;
    let mut meant = Meant::new(store, &args, change, now);
    while let Some(epochs) = meant.next().await? {
        answer.matched += epochs.len() as u64;
        for part in epochs.chunks(BATCH) {
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

/// A walk over the epochs that are meant; only open ones can be closed.
struct Meant<'a> {
    walks: std::vec::IntoIter<Walk<'a>>,
    walk: Option<Walk<'a>>,
    change: EpochChange,
}

impl<'a> Meant<'a> {
    fn new(
        store: &'a Arc<dyn AggregateStore>,
        args: &'a AggregatesChangeArgs,
        change: EpochChange,
        now: Timestamp,
    ) -> Self {
        let walk = |key| Walk::new(store, &args.name, key, &args.conditions, now);
        let walks: Vec<_> = match args.keys.as_slice() {
            [] => vec![walk(None)],
            keys => keys.iter().map(|key| walk(Some(key))).collect(),
        };
        let mut walks = walks.into_iter();
        Self {
            walk: walks.next(),
            walks,
            change,
        }
    }

    /// Those of the next page, perhaps none; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<(AggregateKey, Epoch, EpochChange)>>> {
        let change = self.change;
        let is_meant = |epoch: &EpochInfo| {
            change == EpochChange::Discard || matches!(epoch.state, EpochState::Open { .. })
        };
        while let Some(walk) = &mut self.walk {
            if let Some(page) = walk.next().await? {
                let meant = page.into_iter().filter(is_meant);
                return Ok(Some(
                    meant
                        .map(|epoch| (epoch.key, epoch.epoch, change))
                        .collect(),
                ));
            }
            self.walk = self.walks.next();
        }
        Ok(None)
    }
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
