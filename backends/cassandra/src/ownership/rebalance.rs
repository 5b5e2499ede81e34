//! What processes say to each other about stripes that one has and another wants.

use std::time::Duration;

/// A stripe that was handed out from so shortly ago is kept for a moment.
const KEEP_BUSY: Duration = Duration::from_millis(100);

/// No owner that uses a stripe gives it up sooner than this to one that starves: each
/// change of hands costs both some time.
const KEEP_FROM_STARVING: Duration = Duration::from_secs(2);

/// How a process asks for a stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) need: Need,
    /// How many shards of the queue it has.
    pub(crate) has: u32,
}

/// How much a process needs a stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It wants its share of the queue.
    Share,
    /// An operator's call waits for it: given though it could be used here.
    Urgent,
    /// It has slots and got no message for a while.
    Starving,
    /// It receives once and gives the stripe back at once.
    Passing,
}

/// The one that has the stripe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeper {
    /// Whether this process receives from the queue.
    pub(crate) is_wanted: bool,
    /// How many shards of the queue it has.
    pub(crate) has: u32,
    /// For how long it has had this one.
    pub(crate) held_for: Duration,
    /// Whether a message of it waits.
    pub(crate) is_ready: bool,
}

impl Want {
    /// The number in a ring.
    pub(crate) fn to_number(self) -> i64 {
        (i64::from(self.has) << 8) | self.need as i64
    }

    /// Reads the number of a ring.
    pub(crate) fn of_number(number: i64) -> Self {
        let need = match number & 0xff {
            1 => Need::Urgent,
            2 => Need::Starving,
            3 => Need::Passing,
            _ => Need::Share,
        };
        let has = u32::try_from(number >> 8).unwrap_or_default();
        Self { need, has }
    }

    /// Whether the keeper gives the stripe up. It stays where it is used, unless that makes the
    /// shares more even, or the other one gets nothing.
    pub(crate) fn moves(self, keeper: Keeper) -> bool {
        if self.need == Need::Urgent || !keeper.is_wanted || keeper.has > self.has + 1 {
            return true;
        }
        let kept = match self.need {
            Need::Starving => KEEP_FROM_STARVING,
            Need::Passing => KEEP_BUSY,
            Need::Share | Need::Urgent => return false,
        };
        keeper.is_ready && keeper.held_for >= kept
    }
}

/// Whether a queue that was received from so long ago still is, for all others need to know.
pub(crate) fn is_lately(since: Duration) -> bool {
    since < KEEP_BUSY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeper(has: u32, held_ms: u64) -> Keeper {
        Keeper {
            is_wanted: true,
            has,
            held_for: Duration::from_millis(held_ms),
            is_ready: true,
        }
    }

    #[test]
    fn a_want_is_read_back() {
        for need in [Need::Share, Need::Urgent, Need::Starving, Need::Passing] {
            let want = Want { need, has: 300 };
            assert_eq!(Want::of_number(want.to_number()), want);
        }
        assert_eq!(Want::of_number(-1).has, 0);
    }

    #[test]
    fn two_that_work_share_and_then_keep_what_they_have() {
        let share = |has| Want {
            need: Need::Share,
            has,
        };
        assert!(share(0).moves(keeper(4, 0)));
        assert!(share(1).moves(keeper(3, 0)));
        for held_ms in [0, 60_000] {
            assert!(!share(2).moves(keeper(2, held_ms)));
            assert!(!share(1).moves(keeper(2, held_ms)));
        }
    }

    #[test]
    fn who_starves_or_passes_by_gets_what_waits_and_no_more() {
        let starving = Want {
            need: Need::Starving,
            has: 0,
        };
        let passing = Want {
            need: Need::Passing,
            has: 0,
        };
        assert!(!starving.moves(keeper(1, 1000)));
        assert!(starving.moves(keeper(1, 2000)));
        assert!(passing.moves(keeper(1, 200)));
        let nothing_waits = Keeper {
            is_ready: false,
            ..keeper(1, 60_000)
        };
        assert!(!starving.moves(nothing_waits));
        assert!(!passing.moves(nothing_waits));
    }

    #[test]
    fn who_has_no_use_for_it_gives_it_to_anybody() {
        let full = Keeper {
            is_wanted: false,
            ..keeper(1, 0)
        };
        let share = Want {
            need: Need::Share,
            has: 3,
        };
        assert!(share.moves(full));
    }
}
