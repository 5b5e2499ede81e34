//! The loop of an intake: one process at a time looks for what is new and stores it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_core::{Label, LeaseName, StoreError};
use tokio_util::sync::CancellationToken;

use crate::intake::carry;
use crate::intake::feeding::{Feeding, Look};
use crate::intake::held::{self, Held};
use crate::intake::identity;
use crate::intake::listing::{Listing, list};
use crate::intake::names;
use crate::intake::record::Record;
use crate::intake::seen::Seen;
use crate::intake::status::FeedStatus;
use crate::intake::stop::Stop;
use crate::model::route::{Intake, Route};
use longshore::Connection;

/// How often the pattern is looked up again.
const LOOK_EACH: Duration = Duration::from_secs(1);
/// The same while a finite run waits for what is being written.
const FINITE_LOOK_EACH: Duration = Duration::from_millis(200);
/// A look is never longer ago: the lease has to be renewed in time.
const PAUSE_MAX: Duration = Duration::from_secs(4);

/// Feeds the intake of one route.
#[derive(Debug)]
pub(crate) struct Feeder {
    feeding: Feeding,
    name: LeaseName,
    /// This host, until it is listed in the store.
    unlisted: Option<Label>,
    holder: Arc<str>,
}

/// How a look at all files went.
struct Pass {
    /// Whether nothing has to wait.
    complete: bool,
    /// How long it took to find the files.
    listing: Duration,
}

impl Feeder {
    /// A feeder of a route; `None` if its messages come from elsewhere.
    pub(crate) fn of(
        route: &Arc<Route>,
        connection: &Connection,
        finite: bool,
        stop: CancellationToken,
        status: Arc<FeedStatus>,
    ) -> Option<Self> {
        let glob = route.intake.glob()?.clone();
        let scope = identity::scope(glob.shared);
        let host = names::host_of(&scope);
        let name = match &host {
            // Each host feeds files of its own, so each has a lease of its own.
            Some(host) => names::of_host(&route.name, host)?,
            None => names::shared(&route.name)?,
        };
        let holder = format!("{}-{:016x}", std::process::id(), fastrand::u64(..));
        Some(Self {
            name,
            unlisted: host,
            holder: holder.into(),
            feeding: Feeding {
                deletes: matches!(route.intake, Intake::Files { delete: true, .. }),
                route: route.clone(),
                glob,
                connection: connection.clone(),
                scope,
                finite,
                stop,
                status,
            },
        })
    }

    /// Feeds until it is told to stop, or (where it is finite) until all there is was stored.
    /// An error that waiting does not mend ends it.
    pub(crate) async fn run(mut self) -> Result<(), StoreError> {
        let mut seen = HashMap::new();
        while !self.is_over() {
            let turn = self.turn(&mut seen).await;
            let feeding = &self.feeding;
            match turn {
                Ok(()) | Err(Stop::Asked) => {}
                Err(Stop::Lost) => {
                    tracing::info!(route = %feeding.route.name, "another process feeds this intake now");
                    seen.clear();
                }
                Err(Stop::Failed(error)) if error.is_retryable() => {
                    tracing::warn!(route = %feeding.route.name, %error, "the intake waits for the store");
                    feeding.rest_for(LOOK_EACH).await;
                }
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.feeding.stop.is_cancelled() || self.feeding.status.at_end()
    }

    /// Feeds while this process has the lease; waits a little where another one has it.
    async fn turn(&mut self, seen: &mut HashMap<PathBuf, Seen>) -> Result<(), Stop> {
        let feeding = &self.feeding;
        let backend = feeding.connection.backend();
        if let Some(host) = &self.unlisted
            && carry::list_host(backend, &feeding.route.name, host, &self.holder).await?
        {
            self.unlisted = None;
        }
        let Some(mut held) = Held::take(backend, &self.name, &self.holder).await? else {
            if feeding.finite && self.others_are_done().await? {
                feeding.status.set_at_end(true);
            }
            feeding.rest_for(LOOK_EACH / 2).await;
            return Ok(());
        };
        let fed = feeding.feed(&mut held, seen).await;
        held.give_back().await;
        fed
    }

    /// Whether the process that has the lease has stored all there is.
    async fn others_are_done(&self) -> Result<bool, Stop> {
        let feeding = &self.feeding;
        let listing = feeding.listing().await;
        for found in &listing.files {
            let key = Record::key(&feeding.scope, &found.name);
            let record = held::load(feeding.connection.backend(), &self.name, &key).await?;
            let stored = match feeding.route.intake {
                Intake::Lines { .. } => Feeding::lines_are_stored(record.as_ref(), found),
                _ => Feeding::file_is_stored(record.as_ref(), found),
            };
            if !stored {
                return Ok(false);
            }
        }
        feeding.status.set_unreadable(listing.unreadable);
        Ok(true)
    }
}

impl Feeding {
    /// Looks again and again, until all there is was stored (where that is the end) or a stop.
    async fn feed(&self, held: &mut Held, seen: &mut HashMap<PathBuf, Seen>) -> Result<(), Stop> {
        let mut day = self.today();
        loop {
            if day != self.today() {
                day = self.today();
                // What is remembered is saved again each day, so that it is not forgotten.
                for known in seen.values_mut() {
                    known.done = false;
                }
            }
            let pass = self.pass(held, seen).await?;
            if self.finite && pass.complete {
                self.status.set_at_end(true);
                return Ok(());
            }
            let pause = if self.finite {
                FINITE_LOOK_EACH
            } else {
                LOOK_EACH
            };
            // Looking at very many files is work, too: it may take a small part of the time only.
            let pause = pause.max(pass.listing * 20).min(PAUSE_MAX);
            self.rest_for(pause).await;
            if self.stop.is_cancelled() {
                return Err(Stop::Asked);
            }
            held.keep().await?;
        }
    }

    /// One look at all files.
    async fn pass(&self, held: &mut Held, seen: &mut HashMap<PathBuf, Seen>) -> Result<Pass, Stop> {
        let started = Instant::now();
        let mut listing = self.listing().await;
        let listed = started.elapsed();
        let there: HashSet<_> = listing
            .files
            .iter()
            .map(|found| found.path.clone())
            .collect();
        seen.retain(|path, _| there.contains(path));
        let mut complete = true;
        for found in &listing.files {
            if self.stop.is_cancelled() {
                return Err(Stop::Asked);
            }
            held.keep().await?;
            let known = seen
                .entry(found.path.clone())
                .and_modify(|known| {
                    if known.stat != found.stat {
                        *known = Seen::new(found.stat);
                    }
                })
                .or_insert_with(|| Seen::new(found.stat));
            if known.done {
                continue;
            }
            let look = match self.route.intake {
                Intake::Lines { .. } => self.feed_lines(held, found, known).await?,
                _ => self.feed_file(held, found, known).await?,
            };
            match look {
                Look::AtEnd => known.done = true,
                Look::Waits => complete = false,
                Look::Unreadable(reason) => {
                    listing.unreadable.get_or_insert(reason);
                }
            }
        }
        self.tell_unreadable(listing.unreadable);
        Ok(Pass {
            complete,
            listing: listed,
        })
    }

    async fn listing(&self) -> Listing {
        let glob = self.glob.clone();
        let listed = tokio::task::spawn_blocking(move || list(&glob)).await;
        listed.unwrap_or_default()
    }

    fn tell_unreadable(&self, what: Option<String>) {
        if self.status.set_unreadable(what.clone())
            && let Some(reason) = what
        {
            if self.finite {
                // The run ends with this sentence.
                tracing::info!(route = %self.route.name, %reason, "the intake cannot read all that it should");
                return;
            }
            tracing::error!(route = %self.route.name, %reason, "the intake cannot read all that it should");
        }
    }
}
