//! Which way the next receive goes: through a script, or beside it.

use std::collections::HashMap;

use longshore_core::QueueName;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// For fewer messages the three commands of the bare way cost more than they save.
const BARE_MIN: u32 = 8;
/// So many partitions are remembered; beyond it all are learned anew.
const REMEMBERED_MAX: usize = 4096;
/// After the server said that the case is not plain, so many receives go through the script.
const AFTER_REFUSAL: u16 = 16;
/// The same after an error: a right is missing, or a command.
const AFTER_ERROR: u16 = 1024;

/// What is known of a partition: only a guess, since others work on it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Through the script, for so many receives at least.
    Script(u16),
    Bare,
}

/// The ways of all partitions that this handle receives from. Two that are mistaken for each
/// other are served rightly, if not in the fastest way.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    /// Whether the user may open transactions, once that was tried.
    pub(crate) transactions: Option<bool>,
    known: HashMap<u64, Way>,
}

/// The name of a partition here.
pub(crate) fn place(queue: &QueueName, partition: u16) -> u64 {
    xxh3_64_with_seed(queue.as_str().as_bytes(), u64::from(partition))
}

impl Ways {
    /// Whether to try the bare way for so many messages.
    pub(crate) fn is_bare(&self, place: u64, wanted: u32) -> bool {
        wanted >= BARE_MIN && self.known.get(&place) == Some(&Way::Bare)
    }

    /// A script answered; `plain` if it was a full batch that the bare way would have got too.
    pub(crate) fn answered(&mut self, place: u64, plain: bool) {
        let next = match self.known.get(&place) {
            Some(Way::Script(left)) if *left > 0 => Way::Script(left - 1),
            _ if plain => Way::Bare,
            _ => Way::Script(0),
        };
        self.note(place, next);
    }

    /// The server found that the case is not plain.
    pub(crate) fn refused(&mut self, place: u64) {
        self.note(place, Way::Script(AFTER_REFUSAL));
    }

    /// The server does not let us go this way.
    pub(crate) fn failed(&mut self, place: u64) {
        self.transactions = None;
        self.note(place, Way::Script(AFTER_ERROR));
    }

    fn note(&mut self, place: u64, way: Way) {
        if self.known.len() >= REMEMBERED_MAX && !self.known.contains_key(&place) {
            self.known.clear();
        }
        self.known.insert(place, way);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_plain_batch_opens_the_bare_way_and_a_refusal_shuts_it_for_a_while() {
        let mut ways = Ways::default();
        assert!(!ways.is_bare(1, 64));
        ways.answered(1, false);
        assert!(!ways.is_bare(1, 64));
        ways.answered(1, true);
        assert!(ways.is_bare(1, 64) && !ways.is_bare(1, 2) && !ways.is_bare(2, 64));
        ways.refused(1);
        for _ in 0..AFTER_REFUSAL {
            assert!(!ways.is_bare(1, 64));
            ways.answered(1, true);
        }
        assert!(!ways.is_bare(1, 64));
        ways.answered(1, true);
        assert!(ways.is_bare(1, 64));
    }

    #[test]
    fn only_so_many_partitions_are_remembered() {
        let mut ways = Ways::default();
        for place in 0..3 * REMEMBERED_MAX as u64 {
            ways.answered(place, true);
        }
        assert!(ways.known.len() <= REMEMBERED_MAX);
    }
}
