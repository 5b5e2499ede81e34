//! How a redrive or a discard is carried out: over ids, or over all that match.

use longshore::Connection;
use longshore::core::{Backend, Changed, MessageId, QueueStats, StoredMessage};

use super::answer::Answer;
use super::change::{Change, Request};
use super::pace::Pace;
use super::walk::Walk;
use crate::confirm::confirm;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::output::counted;
use crate::progress::Progress;
use crate::session::{Session, existing};
use crate::verbs::changed;

impl Request {
    /// Does it and prints what came of it.
    pub(super) async fn perform(self, session: &Session) -> Result<Exit> {
        let connection = session.open().await?;
        let backend = connection.backend();
        let stats = existing(backend, &self.selection.queue).await?;
        match (self.selection.id.is_empty(), self.dry_run) {
            (false, true) => self.look_up(backend, session).await,
            (false, false) => self.change_ids(backend, session).await,
            (true, true) => {
                let matched = self.count(&connection, &stats).await?;
                Answer::would(&self, matched).print(session)
            }
            (true, false) => self.change_all(&connection, &stats, session).await,
        }
    }

    /// A dry run over ids: the outcome that each would have.
    async fn look_up(&self, backend: &Backend, session: &Session) -> Result<Exit> {
        let mut outcomes = Vec::with_capacity(self.selection.id.len());
        for id in &self.selection.id {
            let found = backend.admin.find(&self.selection.queue, *id).await?;
            outcomes.push(self.change.would(&found));
        }
        changed::print_dry(&self.selection.id, &outcomes, self.change.done(), session)
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
    async fn count(&self, connection: &Connection, stats: &QueueStats) -> Result<u64> {
        let limit = self
            .selection
            .limit
            .map_or(u64::MAX, std::num::NonZeroU64::get);
        if self.selection.conditions.is_empty() && self.selection.after.is_none() {
            return Ok(stats.dead.min(limit));
        }
        let now = connection.clock().now();
        let mut walk = Walk::new(connection.backend(), &self.selection, stats, now);
        let mut count = 0;
        while let Some(found) = walk.next().await? {
            count += found.len() as u64;
        }
        Ok(count)
    }

    async fn change_all(
        &self,
        connection: &Connection,
        stats: &QueueStats,
        session: &Session,
    ) -> Result<Exit> {
        let backend = connection.backend();
        let queue = &self.selection.queue;
        let total = self.count(connection, stats).await?;
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
        let mut walk = Walk::new(backend, &self.selection, stats, connection.clock().now());
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
        Answer::did(self, matched, applied).print(session)
    }
}
