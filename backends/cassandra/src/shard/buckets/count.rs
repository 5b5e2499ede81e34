//! How many messages of a bucket lie behind what was read of it: counted once, and kept.
//!
//! The process that goes through the ids of a bucket extends the count; what is read of the bucket
//! goes off it at the front. It is noted beside the bucket, so that nobody counts millions of ids
//! twice. Nothing relies on it.

use longshore_core::Timestamp;

use crate::protocol::storage::{Counted, Position};
use crate::shard::load::read::after;

impl Counted {
    /// Nothing counted yet, from a position on.
    pub(crate) fn nothing(from: Position) -> Self {
        Self {
            from,
            to: from,
            count: 0,
            at: Timestamp::EPOCH,
        }
    }

    /// Adds the page of positions that follows.
    pub(crate) fn extend(&mut self, page: &[Position]) {
        self.count += page.len() as u64;
        if let Some(last) = page.last() {
            self.to = self.to.max(after(*last));
        }
    }

    /// Notes that there is nothing behind it now, or for good.
    pub(crate) fn at_end(&mut self, for_good: bool, now: Timestamp) {
        self.at = now;
        if for_good {
            self.to = Position::LAST;
        }
    }

    /// Takes off what was read: these positions, and all before `next`.
    pub(crate) fn pass(&mut self, read: impl Iterator<Item = Position>, next: Position) {
        let counted = read.filter(|position| (self.from..self.to).contains(position));
        self.count = self.count.saturating_sub(counted.count() as u64);
        self.from = self.from.max(next);
        if self.to <= self.from {
            self.to = self.from;
            self.count = 0;
        }
    }

    /// Has it begin earlier, with so many more.
    pub(crate) fn begin_at(&mut self, from: Position, more: u64) {
        self.from = from;
        self.count += more;
    }

    /// Whether it holds for good: nothing can come behind it.
    pub(crate) fn is_whole(&self) -> bool {
        self.to == Position::LAST
    }

    /// Whether it ever reached the end of its bucket.
    pub(crate) fn has_ended(&self) -> bool {
        self.at > Timestamp::EPOCH
    }

    /// The same count, whenever it was taken.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.from, self.to, self.count) == (other.from, other.to, other.count)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn position(pos: i64) -> Position {
        Position {
            pos,
            id: Uuid::nil(),
        }
    }

    fn positions(range: std::ops::Range<i64>) -> Vec<Position> {
        range.map(position).collect()
    }

    #[test]
    fn pages_add_up_and_what_is_read_goes_off_at_the_front() {
        let mut counted = Counted::nothing(position(10));
        counted.extend(&positions(10..20));
        counted.extend(&positions(20..30));
        assert_eq!((counted.count, counted.to), (20, after(position(29))));
        counted.pass(positions(10..16).into_iter(), after(position(15)));
        assert_eq!((counted.count, counted.has_ended()), (14, false));
        counted.extend(&positions(30..33));
        counted.at_end(true, Timestamp::from_millis(7));
        assert!(counted.has_ended() && counted.is_whole());
        // What was read before the count begins does not belong to it.
        counted.pass(positions(3..9).into_iter(), position(9));
        assert_eq!(counted.count, 17);
        counted.pass(positions(16..33).into_iter(), after(position(32)));
        assert_eq!((counted.count, counted.is_whole()), (0, true));
    }

    #[test]
    fn what_was_read_past_the_count_leaves_nothing_of_it() {
        let mut counted = Counted::nothing(position(10));
        counted.extend(&positions(10..20));
        counted.pass(positions(10..25).into_iter(), position(25));
        assert_eq!(counted, Counted::nothing(position(25)));
    }
}
