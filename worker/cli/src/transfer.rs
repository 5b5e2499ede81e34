//! Moving all messages of a queue to another queue, of the same store or another one.
//!
//! The moving mark stops hand-outs of the source. Then, until nothing is left: export a page,
//! adopt it at the destination, remove it here. A crash between the last two leaves a message in
//! both places, but the mark keeps it from being handed out here; running the move again adopts
//! nothing twice, since adopting is idempotent by id, and removes it.

use std::num::NonZeroU32;
use std::time::Duration;

use longshore::core::{
    Backend, Changed, Cursor, Effect, MessageId, MovingMark, QueueName, Result as StoreResult,
    StoreError, StoredMessage, Timestamp,
};
use tokio_util::sync::CancellationToken;

/// How many messages go in one round; each may hold a whole body.
const PAGE: NonZeroU32 = NonZeroU32::new(100).expect("100 is not zero");
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
    /// Whether messages may be in both places, so that the mark must stay.
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
    let mut after: Option<Cursor> = None;
    // Between rounds only: a round that is begun is ended, or messages would be in both places.
    while !stop.is_cancelled() {
        let admin = &from.backend.admin;
        let page = admin
            .export(&from.queue, after.as_ref(), PAGE)
            .await
            .map_err(harmless)?;
        let went = round(from, to, &page.items, moved).await?;
        progress(Progress::Went(went));
        after = match (went, page.next) {
            // What was read is gone: the next page begins where this one did.
            (1.., _) => None,
            (0, Some(next)) => Some(next),
            (0, None) => {
                moved.leased = leased(from).await.map_err(harmless)?;
                if moved.leased == 0 && page.items.is_empty() && after.is_none() {
                    return Ok(Ended::Emptied);
                }
                if moved.leased > 0 {
                    progress(Progress::Waits(moved.leased));
                }
                tokio::select! {
                    () = tokio::time::sleep(LEASED_PAUSE) => {}
                    () = stop.cancelled() => {}
                }
                None
            }
        };
    }
    Ok(Ended::Stopped)
}

fn harmless(error: StoreError) -> Broken {
    Broken { error, both: false }
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
        both: error.effect() == Effect::Unknown,
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
