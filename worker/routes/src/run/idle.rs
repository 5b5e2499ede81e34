//! When a finite run is over: nothing is left, or what is left this run cannot do.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use longshore_core::{Cursor, JobKind, PageSize, QueueName, QueueStats, Result, Timestamp};

use crate::intake::FeedStatus;
use crate::model::route::Route;
use crate::run::progress::Ended;
use longshore::{Aggregate, Connection};

/// Two reads this far apart must show nothing.
const APART: Duration = Duration::from_millis(200);
/// What is left is looked at so many rows deep before it is called stuck.
const LOOKED_AT: usize = 10_000;

/// A run that has had nothing to do for this long says what it waits for,
const QUIET_MAX: Duration = Duration::from_secs(2);
/// and again this often.
const TOLD_EACH: Duration = Duration::from_secs(5);

/// What was said of waiting.
#[derive(Debug, Default)]
struct Telling {
    quiet_since: Option<Instant>,
    told: Option<Instant>,
    /// The same of open epochs.
    open_since: Option<Instant>,
    open_told: Option<Instant>,
}

impl Telling {
    /// Says that open epochs wait for a time, now and then.
    fn tell_open(&mut self, aggregate: &str, open: u64, next: Timestamp) {
        let since = *self.open_since.get_or_insert_with(Instant::now);
        let told = self
            .open_told
            .is_some_and(|told| told.elapsed() < TOLD_EACH);
        if told || since.elapsed() < QUIET_MAX {
            return;
        }
        self.open_told = Some(Instant::now());
        let next = jiff::Timestamp::from_millisecond(next.as_millis()).ok();
        let next = next.map(|next| next.to_string());
        tracing::warn!(
            aggregate,
            open,
            first_due = next,
            "waiting for open epochs; the run ends when they are released"
        );
    }
}

/// Watches the queues of a finite run.
pub(crate) struct IdleWatch {
    pub(crate) connection: Connection,
    pub(crate) routes: Vec<Arc<Route>>,
    pub(crate) feeds: Vec<Arc<FeedStatus>>,
    pub(crate) aggregates: Vec<Aggregate>,
}

/// What one read shows.
enum Look {
    Empty,
    Busy,
    Stuck(String),
}

impl IdleWatch {
    /// Waits until nothing is left to do, and says how that is.
    pub(crate) async fn wait(&self) -> Result<Ended> {
        let mut empty_reads = 0;
        let mut stuck_reads = 0;
        let mut telling = Telling::default();
        loop {
            let look = match self.look(&mut telling).await {
                Ok(look) => look,
                // A store that is away says nothing about what is left.
                Err(error) if error.is_retryable() => Look::Busy,
                Err(error) => return Err(error),
            };
            match look {
                Look::Empty => {
                    (empty_reads, stuck_reads) = (empty_reads + 1, 0);
                    if empty_reads == 2 {
                        return Ok(self.finished());
                    }
                }
                Look::Busy => (empty_reads, stuck_reads) = (0, 0),
                Look::Stuck(why) => {
                    (empty_reads, stuck_reads) = (0, stuck_reads + 1);
                    if stuck_reads == 2 {
                        return Ok(Ended::Stuck { why });
                    }
                }
            }
            tokio::time::sleep(APART).await;
        }
    }

    /// All is done, unless an intake could not read all of its input.
    fn finished(&self) -> Ended {
        let unreadable: BTreeSet<_> = self
            .feeds
            .iter()
            .filter_map(|feed| feed.unreadable())
            .collect();
        if unreadable.is_empty() {
            return Ended::Idle;
        }
        let why = unreadable.into_iter().collect::<Vec<_>>().join("; ");
        Ended::Stuck { why }
    }

    async fn look(&self, telling: &mut Telling) -> Result<Look> {
        let fed = self.feeds.iter().all(|feed| feed.at_end());
        let queues: BTreeSet<_> = self.routes.iter().map(|route| &route.queue).collect();
        let mut stuck = None;
        let mut busy = !fed;
        let mut waits = Vec::new();
        for queue in queues {
            let stats = self.connection.backend().admin.stats(queue).await?;
            let stats = stats.unwrap_or_default();
            if stats.live() == 0 {
                continue;
            }
            waits.push((queue, stats.clone()));
            match self.why_stuck(queue, &stats).await? {
                Some(why) => {
                    stuck.get_or_insert(why);
                }
                None => busy = true,
            }
        }
        for aggregate in &self.aggregates {
            match self.look_at(aggregate, telling).await? {
                Look::Empty => {}
                Look::Busy => busy = true,
                Look::Stuck(why) => {
                    stuck.get_or_insert(why);
                }
            }
        }
        if fed {
            self.tell(telling, &waits).await?;
        }
        Ok(match stuck {
            // What can still be worked goes first.
            _ if busy => Look::Busy,
            Some(why) => Look::Stuck(why),
            None => Look::Empty,
        })
    }

    /// What is left in an aggregate and its dead letters that were redriven.
    async fn look_at(&self, aggregate: &Aggregate, telling: &mut Telling) -> Result<Look> {
        let Some(info) = aggregate.info().await? else {
            return Ok(Look::Empty);
        };
        let name = aggregate.name();
        if let Ok(queue) = QueueName::new(format!("aggregate.{name}")) {
            let stats = self.connection.backend().admin.stats(&queue).await?;
            if stats.unwrap_or_default().live() > 0 {
                return Ok(Look::Busy);
            }
        }
        if info.closed_epochs > 0 {
            return Ok(Look::Busy);
        }
        if let Some(next) = info.next {
            telling.tell_open(name.as_str(), info.open_epochs, next);
            return Ok(Look::Busy);
        }
        Ok(match info.open_epochs {
            0 => Look::Empty,
            open => Look::Stuck(format!(
                "the aggregate {name} collects and no time will complete it (epochs open: {open}, parts in them: {}); close it with: longshore aggregates close {name} --all, or give the step at_most",
                info.open
            )),
        })
    }

    /// Says what a run waits for that has nothing to do: a message may be due next month.
    async fn tell(&self, telling: &mut Telling, left: &[(&QueueName, QueueStats)]) -> Result<()> {
        let idle = |stats: &QueueStats| stats.waiting == 0 && stats.leased == 0;
        if left.is_empty() || !left.iter().all(|(_, stats)| idle(stats)) {
            telling.quiet_since = None;
            return Ok(());
        }
        let since = *telling.quiet_since.get_or_insert_with(Instant::now);
        let told = telling.told.is_some_and(|told| told.elapsed() < TOLD_EACH);
        if told || since.elapsed() < QUIET_MAX {
            return Ok(());
        }
        telling.told = Some(Instant::now());
        for (queue, stats) in left {
            let admin = &self.connection.backend().admin;
            let first = admin.peek(queue, None, NonZeroU32::MIN).await?.items.pop();
            let due = first
                .and_then(|first| jiff::Timestamp::from_millisecond(first.due_at.as_millis()).ok());
            let due = due.map(|due| due.to_string());
            tracing::warn!(%queue, delayed = stats.delayed, first_due = due, "waiting for delayed messages; the run ends when they are done");
        }
        Ok(())
    }

    /// Why what is left in a queue cannot be worked by this run; `None` if it can.
    async fn why_stuck(&self, queue: &QueueName, stats: &QueueStats) -> Result<Option<String>> {
        if stats.leased > 0 {
            return Ok(None);
        }
        let live = stats.live();
        if let Some(pause) = &stats.paused {
            let reason = match pause.reason.as_str() {
                "" => String::new(),
                reason => format!(" ({reason})"),
            };
            return Ok(Some(format!(
                "the queue {queue} is paused by {}{reason} with {live} messages left; lift that with: longshore resume {queue}",
                pause.author
            )));
        }
        if stats.moving.is_some() {
            return Ok(Some(format!(
                "the queue {queue} is being moved away, {live} messages are left"
            )));
        }
        let left = self.left(queue).await?;
        let Some(left) = left.filter(|left| left.all_seen) else {
            return Ok(None);
        };
        if left.seen == 0 && stats.exact {
            // A message may have gone between the two looks, but hardly each time.
            return Ok(Some(format!(
                "the store counts {live} messages in the queue {queue}, and none is there; see: longshore fsck {queue}"
            )));
        }
        Ok(left.in_words(queue, stats))
    }

    /// What is left, by why this run does not take it. `None` if it takes some of it.
    async fn left(&self, queue: &QueueName) -> Result<Option<Left>> {
        let parked = self.parked_groups(queue).await?;
        let mut left = Left {
            parked,
            ..Left::default()
        };
        let mut after: Option<Cursor> = None;
        let mut size = PageSize::default();
        let mut seen = 0;
        loop {
            let admin = &self.connection.backend().admin;
            let page = admin.peek(queue, after.as_ref(), size.get()).await?;
            size.saw(&page.items);
            for stored in &page.items {
                let held = stored
                    .group()
                    .is_some_and(|group| left.parked.contains(group.as_str()));
                match stored.kind() {
                    _ if held => left.behind += 1,
                    Some(kind) if !self.takes(queue, kind) => {
                        *left.unserved.entry(kind.to_string()).or_default() += 1;
                    }
                    _ => return Ok(None),
                }
            }
            seen += page.items.len();
            after = page.next;
            if after.is_none() || seen >= LOOKED_AT {
                left.all_seen = after.is_none();
                left.seen = seen;
                return Ok(Some(left));
            }
        }
    }

    async fn parked_groups(&self, queue: &QueueName) -> Result<BTreeSet<String>> {
        let mut groups = BTreeSet::new();
        let mut after: Option<Cursor> = None;
        let mut size = PageSize::default();
        let admin = &self.connection.backend().admin;
        let stats = admin.stats(queue).await?.unwrap_or_default();
        while (groups.len() as u64) < stats.parked {
            let page = admin
                .dead_letters(queue, after.as_ref(), size.get())
                .await?;
            size.saw(&page.items);
            let parking = page
                .items
                .iter()
                .filter(|one| one.dead().is_some_and(|dead| dead.parks_group));
            groups.extend(
                parking
                    .filter_map(|one| one.group())
                    .map(ToString::to_string),
            );
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(groups)
    }

    fn takes(&self, queue: &QueueName, kind: &JobKind) -> bool {
        let mut here = self.routes.iter().filter(|route| route.queue == *queue);
        here.any(|route| route.kind.as_ref().is_none_or(|taken| taken == kind))
    }
}

/// What is left of a queue.
#[derive(Debug, Default)]
struct Left {
    parked: BTreeSet<String>,
    /// How many wait behind a parked head.
    behind: u64,
    unserved: BTreeMap<String, u64>,
    all_seen: bool,
    seen: usize,
}

impl Left {
    fn in_words(&self, queue: &QueueName, stats: &QueueStats) -> Option<String> {
        if let Some((kind, _)) = self.unserved.first_key_value() {
            let count: u64 = self.unserved.values().sum();
            return Some(format!(
                "{count} messages are left in the queue {queue} of a kind that no route here takes, such as {kind:?}; add a route for it, or one without a kind"
            ));
        }
        if self.behind > 0 {
            return Some(format!(
                "{} messages of the queue {queue} wait behind the dead head of their group ({} groups are parked); redrive or discard it: longshore dead list {queue}",
                self.behind, stats.parked
            ));
        }
        None
    }
}
