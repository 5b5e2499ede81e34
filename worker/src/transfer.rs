//! Moving all messages of a queue to another queue, of the same store or another one.
//!
//! The moving mark stops hand-outs of the source. Then, until nothing is left: export a page,
//! adopt it at the destination, remove it here. A crash between the last two leaves a message in
//! both places, but the mark keeps it from being handed out here; running the move again adopts
//! nothing twice, since adopting is idempotent by id, and removes it.
//!
//! Members of a group are removed here only once many of it are adopted, the last first: where a
//! head goes, its store makes the next one the head, and that one may then stand before what the
//! walk has read, so that those behind it would be adopted first.
//!
//! A group moves behind its head. While a worker has a member, or a dead one holds the group, the
//! others stay; and a group that has begun to move is moved to its end before the mark is lifted.
//! Else members would be worked in both places at once, and out of order.
//!
//! [`begin`], [`run`], [`end`], in this order; `longshore move` does no more.

mod adopted;
mod groups;
mod pages;

use std::time::Duration;

use longshore_core::{
    Backend, Changed, Cursor, Effect, MessageId, MovingMark, PageSize, QueueName, QueueStats,
    Result as StoreResult, StoreError, StoredMessage, Timestamp,
};
use tokio_util::sync::CancellationToken;

use adopted::Adopted;
use groups::Groups;
use pages::Pages;

/// How long to wait before looking again for leased messages to come back.
const LEASED_PAUSE: Duration = Duration::from_millis(200);

/// One end of a move.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Place {
    /// The store.
    pub backend: Backend,
    /// The queue there.
    pub queue: QueueName,
}

impl Place {
    /// A queue of a store.
    pub fn new(backend: Backend, queue: QueueName) -> Self {
        Self { backend, queue }
    }
}

/// What a move has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// Messages that are at the destination and no longer here.
    pub messages: u64,
    /// Of them, how many were dead letters.
    pub dead: u64,
    /// How many are still in the hands of workers here.
    pub leased: u64,
}

impl Moved {
    /// What a move of a queue with these numbers would do.
    pub fn of(stats: &QueueStats) -> Self {
        Self {
            messages: stats.live() + stats.dead,
            dead: stats.dead,
            leased: stats.leased,
        }
    }
}

/// Sets the mark: from now on nothing of `from` is handed out. `to` is for people who look at the
/// queue.
///
/// # Errors
///
/// Those of the store.
pub async fn begin(from: &Place, to: String, since: Timestamp) -> StoreResult<()> {
    let mark = MovingMark { to, since };
    from.backend
        .admin
        .mark_moving(&from.queue, Some(&mark))
        .await
}

/// Lifts the mark.
///
/// # Errors
///
/// Those of the store.
pub async fn end(from: &Place) -> StoreResult<()> {
    from.backend.admin.mark_moving(&from.queue, None).await
}

/// How a move ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing is left.
    Emptied,
    /// It was stopped; every message is in one place.
    Stopped,
}

/// Why a move broke off.
#[derive(Debug)]
#[non_exhaustive]
pub struct Broken {
    /// What went wrong.
    pub error: StoreError,
    /// Whether a message or a group may be in both places, so that the mark must stay.
    pub both: bool,
}

/// How a move goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// This many more have moved.
    Went(u64),
    /// Only so many are left, and workers have them: until they settle, or their leases end.
    Waits(u64),
}

/// Moves everything, following leased messages as they come back, until `stop` fires. Tells
/// `progress` of each round.
///
/// # Cancellation
///
/// Dropping the future may leave messages and groups in both places; leave the mark then, and run
/// the move again.
///
/// # Errors
///
/// Those of the stores, with whether the mark must stay.
pub async fn run(
    from: &Place,
    to: &Place,
    stop: &CancellationToken,
    moved: &mut Moved,
    mut progress: impl FnMut(Progress),
) -> Result<Ended, Broken> {
    let mut groups = Groups::default();
    loop {
        let apart = groups.have_begun();
        let both = move |error| Broken { error, both: apart };
        let mut went = parkers(from, to, moved).await?;
        groups.look(from).await.map_err(both)?;
        let seen = pass(from, to, stop, &mut groups, moved, &mut progress).await?;
        went += seen.went;
        if stop.is_cancelled() {
            if seen.of_begun == 0 {
                return Ok(Ended::Stopped);
            }
        } else if seen.read == 0 {
            let left = leased(from).await.map_err(both)?;
            moved.leased = left;
            if left == 0 {
                return Ok(Ended::Emptied);
            }
        }
        if went == 0 {
            moved.leased = leased(from).await.map_err(both)?;
            progress(Progress::Waits(moved.leased));
            // What a stop waits for does not come sooner by asking at once.
            tokio::time::sleep(LEASED_PAUSE).await;
        }
    }
}

/// Moves the dead members that hold their groups. They go first, so that the groups are held in
/// the new place before anybody else arrives there.
async fn parkers(from: &Place, to: &Place, moved: &mut Moved) -> Result<u64, Broken> {
    let mut went = 0;
    let mut pages = Pages::of_dead(from);
    while let Some(mut page) = pages.next().await.map_err(between)? {
        page.retain(groups::parks);
        went += round(from, to, &page, moved).await?;
    }
    Ok(went)
}

/// What one walk over the source came to.
#[derive(Debug, Default)]
struct Seen {
    /// Messages that were read.
    read: u64,
    /// Of them, members of groups that had begun to move.
    of_begun: u64,
    /// Messages that are gone from here.
    went: u64,
}

/// Walks once over all that nobody has, and moves what may go. After a stop that is only what
/// belongs to a group that has begun to move.
async fn pass(
    from: &Place,
    to: &Place,
    stop: &CancellationToken,
    groups: &mut Groups,
    moved: &mut Moved,
    progress: &mut impl FnMut(Progress),
) -> Result<Seen, Broken> {
    let mut seen = Seen::default();
    let mut after: Option<Cursor> = None;
    let mut size = PageSize::default();
    let mut adopted = Adopted::default();
    loop {
        let stopped = stop.is_cancelled();
        if stopped && !groups.have_begun() {
            return Ok(seen);
        }
        let admin = &from.backend.admin;
        let page = admin.export(&from.queue, after.as_ref(), size.get()).await;
        let page = page.map_err(|error| Broken {
            error,
            both: groups.have_begun(),
        })?;
        let read = page.items.len();
        size.saw(&page.items);
        seen.read += read as u64;
        seen.of_begun += groups.count_begun(&page.items);
        let mut may_go = page.items;
        may_go.retain(|one| groups.let_go(one, stopped));
        groups.begin(&mut may_go);
        let (members, others): (Vec<_>, Vec<_>) = may_go.into_iter().partition(groups::is_member);
        adopt(to, &members).await?;
        adopted.add(&members);
        let mut went = round(from, to, &others, moved).await?;
        let is_last = page.next.is_none();
        let is_full = adopted.is_full();
        if is_last || is_full {
            let removed = adopted.remove(from).await.map_err(between)?;
            moved.messages += removed;
            went += removed;
        }
        if went > 0 {
            progress(Progress::Went(went));
        }
        seen.went += went;
        match page.next {
            None => return Ok(seen),
            // Those behind what was removed are read from the beginning: who is first of a group
            // now may stand anywhere.
            Some(_) if is_full => after = None,
            // What was read is gone: the next page begins where this one did.
            Some(_) if went == read as u64 => {}
            next => after = next,
        }
    }
}

fn between(error: StoreError) -> Broken {
    Broken { error, both: true }
}

/// Adopts messages, which nobody removes here yet.
async fn adopt(to: &Place, items: &[StoredMessage]) -> Result<(), Broken> {
    if items.is_empty() {
        return Ok(());
    }
    let adopted = to.backend.admin.adopt(&to.queue, items).await;
    adopted.map(drop).map_err(|error| Broken {
        both: error.effect() == Effect::Unknown || items.iter().any(|one| one.group().is_some()),
        error,
    })
}

/// Adopts a page and removes what was adopted. Answers how many are gone from here.
async fn round(
    from: &Place,
    to: &Place,
    items: &[StoredMessage],
    moved: &mut Moved,
) -> Result<u64, Broken> {
    if items.is_empty() {
        return Ok(0);
    }
    adopt(to, items).await?;
    let ids = |dead: bool| -> Vec<MessageId> {
        let chosen = items
            .iter()
            .filter(|stored| stored.dead().is_some() == dead);
        chosen.map(StoredMessage::id).collect()
    };
    let (live, dead) = (ids(false), ids(true));
    let admin = &from.backend.admin;
    let mut went = 0;
    if !live.is_empty() {
        went += gone(&admin.cancel(&from.queue, &live).await.map_err(between)?);
    }
    if !dead.is_empty() {
        let discarded = gone(&admin.discard(&from.queue, &dead).await.map_err(between)?);
        moved.dead += discarded;
        went += discarded;
    }
    moved.messages += went;
    Ok(went)
}

/// How many are no longer there. One that a worker took just before the mark follows when it
/// comes back.
fn gone(outcomes: &[Changed]) -> u64 {
    outcomes
        .iter()
        .filter(|outcome| **outcome == Changed::Applied)
        .count() as u64
}

async fn leased(from: &Place) -> StoreResult<u64> {
    let stats = from.backend.admin.stats(&from.queue).await?;
    Ok(stats.map_or(0, |stats| stats.leased))
}
