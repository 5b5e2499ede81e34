//! A walk over the dead letters of a queue that match, oldest first.

use longshore::core::{Backend, Cursor, PageSize, QueueName, QueueStats, StoredMessage, Timestamp};

use crate::args::DeadSelection;
use crate::error::Result;
use crate::where_filter::{Condition, all_take};

/// The walk at work.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    backend: &'a Backend,
    queue: &'a QueueName,
    conditions: &'a [Condition],
    now: Timestamp,
    after: Option<Cursor>,
    size: PageSize,
    /// How many may still be looked at: those there when the walk began, where the store can count
    /// them. What dies again while it is being redriven joins the end, and would keep the walk
    /// going forever.
    unseen: u64,
    /// How many may still be given.
    wanted: u64,
    ended: bool,
}

impl<'a> Walk<'a> {
    /// A walk over a selection of a queue with these numbers.
    pub(super) fn new(
        backend: &'a Backend,
        selection: &'a DeadSelection,
        stats: &QueueStats,
        now: Timestamp,
    ) -> Self {
        Self {
            size: PageSize::default(),
            backend,
            queue: &selection.queue,
            conditions: &selection.conditions,
            now,
            after: selection.after.clone().map(Cursor::new),
            unseen: if stats.exact { stats.dead } else { u64::MAX },
            wanted: selection.limit.map_or(u64::MAX, std::num::NonZeroU64::get),
            ended: false,
        }
    }

    /// A walk over all that match these conditions.
    pub(super) fn over(
        backend: &'a Backend,
        queue: &'a QueueName,
        conditions: &'a [Condition],
        now: Timestamp,
    ) -> Self {
        Self {
            backend,
            queue,
            conditions,
            now,
            after: None,
            size: PageSize::default(),
            unseen: u64::MAX,
            wanted: u64::MAX,
            ended: false,
        }
    }

    /// The matching ones of the next page, perhaps none; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<StoredMessage>>> {
        if self.ended || self.unseen == 0 || self.wanted == 0 {
            return Ok(None);
        }
        let admin = &self.backend.admin;
        let page = admin
            .dead_letters(self.queue, self.after.as_ref(), self.size.get())
            .await?;
        self.size.saw(&page.items);
        self.ended = page.next.is_none();
        self.after = page.next;
        let mut matching = Vec::new();
        for stored in page.items {
            if self.unseen == 0 || self.wanted == 0 {
                break;
            }
            self.unseen -= 1;
            if all_take(self.conditions, &stored, self.now) {
                self.wanted -= 1;
                matching.push(stored);
            }
        }
        Ok(Some(matching))
    }
}
