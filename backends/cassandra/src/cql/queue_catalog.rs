//! The queues of a cell by name, with what all processes obey.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use longshore_core::{Effect, QueueName, QueueSettings, Result, StoreError, StoreErrorKind};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::cql::queue_def::{QueueDef, StoredSettings};
use crate::cql::session::Link;

/// How long what was read of a queue is believed.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// How often a change that another one overtook is tried.
const TRIES: usize = 20;

/// Maximum cached queues; the cache is cleared when full.
const CACHED_MAX: usize = 10_000;

/// The queues of a cell.
#[derive(Clone, Debug)]
pub(crate) struct Catalog {
    pub(crate) link: Arc<Link>,
    pub(crate) cell: i16,
    /// How many shards a queue gets that is created here.
    pub(crate) shards: i32,
}

type Columns = (
    Option<Uuid>,
    Option<i32>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Catalog {
    /// A queue as it was at most a second ago; `None` if it does not exist.
    pub(crate) async fn get(&self, name: &QueueName) -> Result<Option<Arc<QueueDef>>> {
        let cached = {
            let cache = self.link.queues.lock();
            let cache = cache.unwrap_or_else(PoisonError::into_inner);
            cache.get(&(self.cell, name.clone())).cloned()
        };
        match cached {
            Some((at, def)) if at.elapsed() < FRESH_FOR => Ok(Some(def)),
            _ => self.read(name, false).await,
        }
    }

    async fn read(&self, name: &QueueName, serial: bool) -> Result<Option<Arc<QueueDef>>> {
        let statements = &self.link.statements;
        let statement = if serial {
            &statements.queue_serial
        } else {
            &statements.queue
        };
        let values = (self.cell, name.as_str());
        let row: Option<Columns> = self.link.one("queue", statement, values).await?;
        let Some((Some(queue), shards, version, settings, pause, moving)) = row else {
            return Ok(None);
        };
        let StoredSettings {
            settings,
            is_deleted,
        } = stored(settings.as_deref())?.unwrap_or_default();
        let def = Arc::new(QueueDef {
            queue,
            shards: shards.unwrap_or(1),
            version: version.unwrap_or_default(),
            settings,
            pause: stored(pause.as_deref())?,
            moving: stored(moving.as_deref())?,
            is_deleted,
        });
        self.keep(name, def.clone());
        Ok(Some(def))
    }

    /// Reads a queue for a transaction that is tried so many times already: serially where one of
    /// them may be in flight. A read that is overtaken answers nothing for now.
    async fn read_again(
        &self,
        name: &QueueName,
        attempt: usize,
        in_doubt: bool,
    ) -> Result<Option<Arc<QueueDef>>> {
        if attempt > 0 {
            // Those that meet shall not meet again.
            sleep(Duration::from_millis(fastrand::u64(5..60))).await;
        }
        match self.read(name, in_doubt || attempt > 1).await {
            Err(error) if is_unsettled(&error) => Ok(None),
            read => read,
        }
    }

    fn keep(&self, name: &QueueName, def: Arc<QueueDef>) {
        let cache = self.link.queues.lock();
        let mut cache = cache.unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHED_MAX {
            cache.clear();
        }
        cache.insert((self.cell, name.clone()), (Instant::now(), def));
    }

    fn forget(&self, name: &QueueName) {
        let cache = self.link.queues.lock();
        let mut cache = cache.unwrap_or_else(PoisonError::into_inner);
        cache.remove(&(self.cell, name.clone()));
    }

    /// A queue, created if it does not exist.
    pub(crate) async fn get_or_create(&self, name: &QueueName) -> Result<Arc<QueueDef>> {
        match self.get(name).await? {
            // Any change has it exist again.
            Some(def) if def.is_deleted => Box::pin(self.change(name, |_| ())).await?,
            Some(def) => return Ok(def),
            None => {}
        }
        for attempt in 0..TRIES {
            let queue = Uuid::from_u128(fastrand::u128(..));
            let values = (self.cell, name.as_str(), queue, self.shards);
            let statement = &self.link.statements.create_queue;
            let created = self.link.transact("queue", statement, values).await;
            // Whichever process created it, it is there, or the next try finds out.
            let in_doubt = match created {
                Err(error) if is_unsettled(&error) => true,
                created => !created?,
            };
            if let Some(def) = self.read_again(name, attempt, in_doubt).await? {
                return Ok(def);
            }
        }
        Err(contended())
    }

    /// Changes a queue, whatever others change meanwhile. Answers what `change` answered last.
    pub(crate) async fn change<T>(
        &self,
        name: &QueueName,
        change: impl Fn(&mut QueueDef) -> T,
    ) -> Result<T> {
        // A change of which it is not known whether it was made, and its answer.
        let mut tried: Option<(QueueDef, T)> = None;
        for attempt in 0..TRIES {
            let Some(before) = self.read_again(name, attempt, tried.is_some()).await? else {
                if tried.is_none() {
                    self.get_or_create(name).await?;
                }
                continue;
            };
            if let Some((after, answer)) = tried.take()
                && after == *before
            {
                return Ok(answer);
            }
            let mut after = (*before).clone();
            after.is_deleted = false;
            let answer = change(&mut after);
            if after == *before {
                return Ok(answer);
            }
            after.version += 1;
            let values = (
                after.version,
                text(&StoredSettings::of(&after)),
                after.pause.as_ref().map(text),
                after.moving.as_ref().map(text),
                self.cell,
                name.as_str(),
                before.version,
            );
            let statement = &self.link.statements.change_queue;
            match self.link.transact("queue", statement, values).await {
                Ok(true) => {
                    self.keep(name, Arc::new(after));
                    return Ok(answer);
                }
                Ok(false) => {}
                Err(error) if is_unsettled(&error) => tried = Some((after, answer)),
                Err(error) => return Err(error),
            }
            self.forget(name);
        }
        Err(contended())
    }

    /// Deletes a queue, as far as nothing is in it.
    pub(crate) async fn delete(&self, name: &QueueName) -> Result<()> {
        self.change(name, |def| {
            def.settings = QueueSettings::default();
            (def.pause, def.moving) = (None, None);
            def.is_deleted = true;
        })
        .await
    }

    /// Names after one, in order, and at most so many.
    /// Each with whether it was deleted.
    pub(crate) async fn names(&self, after: &str, max: usize) -> Result<Vec<(QueueName, bool)>> {
        let statement = &self.link.statements.queues;
        let values = (self.cell, after, i32::try_from(max).unwrap_or(i32::MAX));
        let make = |(name, settings): (String, Option<String>)| {
            let kept: Option<StoredSettings> = stored(settings.as_deref()).ok().flatten();
            let is_deleted = kept.is_some_and(|kept| kept.is_deleted);
            Some((QueueName::new(name).ok()?, is_deleted))
        };
        let names = self.link.all("queues", statement, values, make).await?;
        Ok(names.into_iter().flatten().collect())
    }
}

/// Whether a transaction may have been applied: a serial read tells.
pub(crate) fn is_unsettled(error: &StoreError) -> bool {
    error.effect() == Effect::Unknown && error.is_retryable()
}

/// Too many others changed the same row.
pub(crate) fn contended() -> StoreError {
    let words = "too many others changed the same row at the same time; try again";
    StoreError::new(StoreErrorKind::Conflict, "transaction", words)
}

fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn stored<T: DeserializeOwned>(text: Option<&str>) -> Result<Option<T>> {
    let read = text.map(serde_json::from_str).transpose();
    read.map_err(|error| crate::error::unexpected_reply("queue", &error))
}
