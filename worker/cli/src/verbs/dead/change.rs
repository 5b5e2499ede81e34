//! `dead redrive` and `dead discard`.

use longshore::Connection;
use longshore::core::{
    Backend, Changed, MessageId, QueueName, Result as StoreResult, StoredMessage,
};
use serde::Serialize;

use super::pace::Pace;
use super::walk::Walk;
use crate::args::{DeadDiscardArgs, DeadRedriveArgs, DeadSelection};
use crate::confirm::confirm;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::{Stdout, counted};
use crate::parse::Rate;
use crate::progress::Progress;
use crate::session::{Session, existing};
use crate::verbs::{changed, show};

/// What is done to dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Redrive,
    Discard,
}

/// What was asked.
#[derive(Debug)]
struct Request {
    change: Change,
    selection: DeadSelection,
    rate: Option<Rate>,
    dry_run: bool,
    yes: bool,
}

/// What is printed of a whole queue.
#[derive(Debug, Default, Serialize)]
struct Answer {
    queue: String,
    /// How many matched.
    matched: u64,
    /// How many were redriven or discarded.
    changed: u64,
    /// How many were damaged or gone by then.
    refused: u64,
    dry_run: bool,
}

pub(super) async fn redrive(args: DeadRedriveArgs, session: &Session) -> Result<Exit> {
    let request = Request {
        change: Change::Redrive,
        selection: args.selection,
        rate: args.rate,
        dry_run: args.dry_run,
        yes: args.yes,
    };
    request.perform(session).await
}

pub(super) async fn discard(args: DeadDiscardArgs, session: &Session) -> Result<Exit> {
    let request = Request {
        change: Change::Discard,
        selection: args.selection,
        rate: args.rate,
        dry_run: args.dry_run,
        yes: args.yes,
    };
    request.perform(session).await
}

impl Change {
    async fn apply(
        self,
        backend: &Backend,
        queue: &QueueName,
        ids: &[MessageId],
    ) -> StoreResult<Vec<Changed>> {
        match self {
            Self::Redrive => backend.admin.redrive(queue, ids).await,
            Self::Discard => backend.admin.discard(queue, ids).await,
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Redrive => "redriven",
            Self::Discard => "discarded",
        }
    }
}

impl Request {
    async fn perform(self, session: &Session) -> Result<Exit> {
        let connection = session.open().await?;
        let backend = connection.backend();
        let dead = existing(backend, &self.selection.queue).await?.dead;
        match (self.selection.id.is_empty(), self.dry_run) {
            (false, true) => self.look_up(&connection, session).await,
            (false, false) => self.change_ids(backend, session).await,
            (true, true) => {
                let matched = self.count(&connection, dead).await?;
                self.print(matched, 0, 0, session)
            }
            (true, false) => self.change_all(&connection, dead, session).await,
        }
    }

    /// A dry run over ids: each must be a dead letter.
    async fn look_up(&self, connection: &Connection, session: &Session) -> Result<Exit> {
        let mut matched = 0;
        for id in &self.selection.id {
            let stored = show::find(connection, &self.selection.queue, *id).await?;
            if stored.dead().is_none() {
                return Err(CliError::nothing_matched(format!(
                    "message {id} is no dead letter, it is {}",
                    stored.state.as_str()
                )));
            }
            matched += 1;
        }
        self.print(matched, 0, 0, session)
    }

    async fn change_ids(&self, backend: &Backend, session: &Session) -> Result<Exit> {
        let mut pace = Pace::new(self.rate);
        let ids = &self.selection.id;
        let mut outcomes = Vec::with_capacity(ids.len());
        for part in ids.chunks(pace.step().min(ids.len())) {
            let queue = &self.selection.queue;
            outcomes.extend(
                changed::in_parts(backend, part, async |part| {
                    self.change.apply(backend, queue, part).await
                })
                .await?,
            );
            pace.went(part.len() as u64).await;
        }
        changed::print(ids, &outcomes, self.change.done(), session)
    }

    /// How many match. Without conditions the store knows.
    async fn count(&self, connection: &Connection, dead: u64) -> Result<u64> {
        let limit = self
            .selection
            .limit
            .map_or(u64::MAX, std::num::NonZeroU64::get);
        if self.selection.conditions.is_empty() && self.selection.after.is_none() {
            return Ok(dead.min(limit));
        }
        let now = connection.clock().now();
        let mut walk = Walk::new(connection.backend(), &self.selection, dead, now);
        let mut count = 0;
        while let Some(found) = walk.next().await? {
            count += found.len() as u64;
        }
        Ok(count)
    }

    async fn change_all(
        &self,
        connection: &Connection,
        dead: u64,
        session: &Session,
    ) -> Result<Exit> {
        let backend = connection.backend();
        let queue = &self.selection.queue;
        let total = self.count(connection, dead).await?;
        let what = counted(total, "dead letter");
        let question = match self.change {
            Change::Redrive => format!("redrive {what} of queue \"{queue}\""),
            Change::Discard => format!("discard {what} of queue \"{queue}\" for good"),
        };
        confirm(self.yes, &question)?;
        let progress = Progress::new(session.quiet(), self.change.done(), Some(total));
        let mut pace = Pace::new(self.rate);
        let step = pace
            .step()
            .min(backend.queues.limits().batch_max.get() as usize);
        let mut walk = Walk::new(backend, &self.selection, dead, connection.clock().now());
        let (mut matched, mut applied) = (0_u64, 0_u64);
        while let Some(found) = walk.next().await? {
            let ids: Vec<MessageId> = found.iter().map(StoredMessage::id).collect();
            for part in ids.chunks(step) {
                let outcomes = self.change.apply(backend, queue, part).await;
                let outcomes = outcomes.map_err(|error| {
                    let done = self.change.done();
                    CliError::from(error).and_so_far(format!("{applied} were {done} before it"))
                })?;
                matched += part.len() as u64;
                applied += outcomes
                    .iter()
                    .filter(|outcome| **outcome == Changed::Applied)
                    .count() as u64;
                progress.advance(part.len() as u64);
                pace.went(part.len() as u64).await;
            }
        }
        drop(progress);
        self.print(matched, applied, matched - applied, session)
    }

    fn print(&self, matched: u64, changed: u64, refused: u64, session: &Session) -> Result<Exit> {
        let done = self.change.done();
        if session.json() {
            Stdout::json(&Answer {
                queue: self.selection.queue.to_string(),
                matched,
                changed,
                refused,
                dry_run: self.dry_run,
            })?;
        } else if self.dry_run {
            Stdout::text(&format!(
                "{} would be {done}",
                counted(matched, "dead letter")
            ))?;
        } else {
            Stdout::text(&format!("{} {done}", counted(changed, "dead letter")))?;
        }
        if refused == 0 {
            return Ok(Exit::Done);
        }
        Err(CliError::new(
            Exit::Partial,
            format!(
                "{} could not be {done}: damaged, or gone meanwhile; `longshore dead list {} \
                 --where reason=damaged` shows the damaged ones",
                counted(refused, "dead letter"),
                self.selection.queue
            ),
        ))
    }
}
