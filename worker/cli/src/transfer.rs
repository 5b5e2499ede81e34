//! Moving all messages of a queue to another queue, of the same store or another one.
//!
//! The moving mark stops hand-outs of the source. Then, until nothing is left: export a page,
//! adopt it at the destination, remove it here. A crash between the last two leaves a message in
//! both places, but the mark keeps it from being handed out here; running the move again adopts
//! nothing twice, since adopting is idempotent by id, and removes it.
//!
//! A group moves behind its head. While a worker has a member, or a dead one holds the group, the
//! others stay; and a group that has begun to move is moved to its end before the mark is lifted.
//! Else members would be worked in both places at once, and out of order.

mod groups;
mod pages;

use std::time::Duration;

use longshore::core::{
    Backend, Changed, Cursor, Effect, MessageId, MovingMark, PageSize, QueueName,
    Result as StoreResult, StoreError, StoredMessage, Timestamp,
};
use tokio_util::sync::CancellationToken;

use groups::Groups;
use pages::Pages;

/// How long to wait before looking again for leased messages to come back.
const LEASED_PAUSE: Duration = Duration::from_millis(200);

/// One end of a move.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The store.
    pub(crate) backend: Backend,
    /// The queue there.
    pub(crate) queue: QueueName,
}

/// What a move has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Messages that are at the destination and no longer here.
    pub(crate) messages: u64,
    /// Of them, how many were dead letters.
    pub(crate) dead: u64,
    /// How many are still in the hands of workers here.
    pub(crate) leased: u64,
}

/// Sets the mark: from now on nothing of `from` is handed out.
pub(crate) async fn begin(from: &Place, to: String, since: Timestamp) -> StoreResult<()> {
    let mark = MovingMark { to, since };
    from.backend
        .admin
        .mark_moving(&from.queue, Some(&mark))
        .await
}

/// Lifts the mark.
pub(crate) async fn end(from: &Place) -> StoreResult<()> {
    from.backend.admin.mark_moving(&from.queue, None).await
}

/// How a move ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing is left.
    Emptied,
    /// It was stopped; every message is in one place.
    Stopped,
}

/// Why a move broke off.
#[derive(Debug)]
pub(crate) struct Broken {
    /// What went wrong.
    pub(crate) error: StoreError,
    /// Whether a message or a group may be in both places, so that the mark must stay.
    pub(crate) both: bool,
}

/// How a move goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// So many more went.
    Went(u64),
    /// Only so many are left, and workers have them: until they settle, or their leases end.
    Waits(u64),
}

/// Moves everything, following leased messages as they come back, until `stop` fires. Tells
/// `progress` of each round.
pub(crate) async fn run(
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
        groups.begin(&may_go);
        let went = round(from, to, &may_go, moved).await?;
        if went > 0 {
            progress(Progress::Went(went));
        }
        seen.went += went;
        let Some(next) = page.next else {
            return Ok(seen);
        };
        // What was read is gone: the next page begins where this one did.
        if went < read as u64 {
            after = Some(next);
        }
    }
}

fn between(error: StoreError) -> Broken {
    Broken { error, both: true }
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
    let adopted = to.backend.admin.adopt(&to.queue, items).await;
    adopted.map_err(|error| Broken {
        both: error.effect() == Effect::Unknown || items.iter().any(|one| one.group().is_some()),
        error,
    })?;
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
