//! Which path the next receive goes: through a script, or beside it.

use std::collections::HashMap;
use std::sync::Mutex;

use longshore_core::QueueName;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::sync::locked;

/// For fewer messages the three commands of the direct path cost more than they save.
const DIRECT_MIN: u32 = 8;
/// Maximum partitions remembered; the guesses are cleared when full.
const REMEMBERED_MAX: usize = 4096;
/// After the server said that the case is not plain, so many receives go through the script.
const AFTER_REFUSAL: u16 = 16;
/// The same after an error: a right is missing, or a command.
const AFTER_ERROR: u16 = 1024;

/// What is known of a partition: only a guess, since others work on it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// Through the script, for so many receives at least.
    Script(u16),
    Direct,
}

/// The paths of all partitions that this handle receives from. Two that are mistaken for each
/// other are served rightly, if not in the fastest way.
#[derive(Debug, Default)]
pub(crate) struct PathChoice(Mutex<Guesses>);

#[derive(Debug, Default)]
struct Guesses {
    /// Whether the user may open transactions, once that was tried.
    transactions: Option<bool>,
    known: HashMap<u64, Path>,
}

/// The name of a partition here.
pub(crate) fn place(queue: &QueueName, partition: u16) -> u64 {
    xxh3_64_with_seed(queue.as_str().as_bytes(), u64::from(partition))
}

impl PathChoice {
    /// Whether to try the direct path for so many messages.
    pub(crate) fn is_direct(&self, place: u64, wanted: u32) -> bool {
        wanted >= DIRECT_MIN && locked(&self.0).known.get(&place) == Some(&Path::Direct)
    }

    /// A script answered; `plain` if it was a full batch that the direct path would have got too.
    pub(crate) fn answered(&self, place: u64, plain: bool) {
        let mut guesses = locked(&self.0);
        let next = match guesses.known.get(&place) {
            Some(Path::Script(left)) if *left > 0 => Path::Script(left - 1),
            _ if plain => Path::Direct,
            _ => Path::Script(0),
        };
        guesses.note(place, next);
    }

    /// The server found that the case is not plain.
    pub(crate) fn refused(&self, place: u64) {
        locked(&self.0).note(place, Path::Script(AFTER_REFUSAL));
    }

    /// The server does not let us go this way.
    pub(crate) fn failed(&self, place: u64) {
        let mut guesses = locked(&self.0);
        guesses.transactions = None;
        guesses.note(place, Path::Script(AFTER_ERROR));
    }

    /// Whether the user may open transactions; `None` until that was tried.
    pub(crate) fn transactions(&self) -> Option<bool> {
        locked(&self.0).transactions
    }

    pub(crate) fn set_transactions(&self, allowed: bool) {
        locked(&self.0).transactions = Some(allowed);
    }
}

impl Guesses {
    fn note(&mut self, place: u64, way: Path) {
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
    fn a_full_plain_batch_opens_the_direct_path_and_a_refusal_shuts_it_for_a_while() {
        let path_choice = PathChoice::default();
        assert!(!path_choice.is_direct(1, 64));
        path_choice.answered(1, false);
        assert!(!path_choice.is_direct(1, 64));
        path_choice.answered(1, true);
        assert!(
            path_choice.is_direct(1, 64)
                && !path_choice.is_direct(1, 2)
                && !path_choice.is_direct(2, 64)
        );
        path_choice.refused(1);
        for _ in 0..AFTER_REFUSAL {
            assert!(!path_choice.is_direct(1, 64));
            path_choice.answered(1, true);
        }
        assert!(!path_choice.is_direct(1, 64));
        path_choice.answered(1, true);
        assert!(path_choice.is_direct(1, 64));
    }

    #[test]
    fn only_so_many_partitions_are_remembered() {
        let path_choice = PathChoice::default();
        for place in 0..3 * REMEMBERED_MAX as u64 {
            path_choice.answered(place, true);
        }
        assert!(locked(&path_choice.0).known.len() <= REMEMBERED_MAX);
    }
}
