//! One page of a bucket to be looked at. The look needs nothing of the shard in memory, so that
//! receives and settlements go on meanwhile.

use std::collections::HashSet;

use longshore_core::Result;

use crate::protocol::storage::{Bucket, Position, Storage};
use crate::shard::load::read::done_among;

/// Positions of one page: few, since receives wait for a server that reads many.
const POSITIONS: usize = 250;
/// The same where nothing else is read than ids.
const IDS: usize = 1000;

/// What a bucket is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// It is open: what came late, before what was read?
    Sweep,
    /// It is closed: what was not seen while it was open?
    Scan,
    /// All in it is done, as far as memory says: do its rows say the same?
    Retire,
    /// It was not read to its end: how many messages lie behind?
    Count,
}

/// A page to be looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BucketScan {
    pub(crate) task: Task,
    pub(crate) bucket: Bucket,
    pub(crate) from: Position,
}

/// What is there.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) page: Vec<Position>,
    /// Whether there is another page behind it.
    pub(crate) goes_on: bool,
    /// One that is not done, if that is what it is about.
    pub(crate) left: Option<Position>,
}

impl BucketScan {
    /// Looks at the page.
    pub(crate) async fn look(self, storage: &dyn Storage) -> Result<Looked> {
        let most = match self.task {
            Task::Sweep | Task::Count => IDS,
            Task::Scan | Task::Retire => POSITIONS,
        };
        let page = storage.positions(self.bucket, self.from, most).await?;
        let mut left = None;
        if self.task == Task::Retire {
            // Read after the positions: what was done meanwhile is told, too.
            let done: HashSet<_> = done_among(storage, self.bucket, &page).await?;
            left = page
                .iter()
                .copied()
                .find(|position| !done.contains(position));
        }
        Ok(Looked {
            goes_on: page.len() == most,
            page,
            left,
        })
    }
}
