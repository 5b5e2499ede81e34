//! Members of groups that are at the destination and still here.

use std::time::{Duration, Instant};

use longshore_core::{MessageId, Result, StoredMessage};

use super::{Place, gone};

/// Adopted messages that are remembered before they are removed here.
const MEMBERS_MAX: usize = 10_000;
/// And for so long: what is worked at the destination is recognised for a time only, should the
/// move be broken off here and start over.
const AGE_MAX: Duration = Duration::from_secs(5);

/// The members, in the order in which they were adopted.
#[derive(Debug, Default)]
pub(super) struct Adopted {
    ids: Vec<MessageId>,
    since: Option<Instant>,
}

impl Adopted {
    pub(super) fn add(&mut self, members: &[StoredMessage]) {
        if members.is_empty() {
            return;
        }
        self.since.get_or_insert_with(Instant::now);
        self.ids.extend(members.iter().map(StoredMessage::id));
    }

    /// Whether it is time to remove them.
    pub(super) fn is_full(&self) -> bool {
        let is_old = self.since.is_some_and(|since| since.elapsed() > AGE_MAX);
        is_old || self.ids.len() >= MEMBERS_MAX
    }

    /// Removes them from where they came from, the last first, and answers how many that were.
    pub(super) async fn remove(&mut self, from: &Place) -> Result<u64> {
        self.since = None;
        let batch_max = from.backend.queues.limits().batch_max.get() as usize;
        let mut ids = std::mem::take(&mut self.ids);
        ids.reverse();
        let mut removed = 0;
        for part in ids.chunks(batch_max) {
            removed += gone(&from.backend.admin.cancel(&from.queue, part).await?);
        }
        Ok(removed)
    }
}
