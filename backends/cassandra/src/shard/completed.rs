//! The messages that ended lately: how a late copy of one is told.

use std::collections::{BTreeSet, HashMap, VecDeque};

use longshore_core::Timestamp;
use uuid::Uuid;

/// Minimum ended messages that are remembered. A copy that comes after that is delivered.
const KEPT: usize = 50_000;

/// Ends of messages. Ids that callers gave are remembered for their window, others for a while.
#[derive(Debug, Default)]
pub(crate) struct Completed {
    ends: HashMap<Uuid, End>,
    /// In the order they ended.
    order: VecDeque<Uuid>,
    /// Older ones whose window is not over.
    windows: BTreeSet<(Timestamp, Uuid)>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    born: i64,
    known_until: Timestamp,
}

impl Completed {
    /// Adds the end of a message.
    pub(crate) fn add(&mut self, id: Uuid, born: i64, known_until: Timestamp, now: Timestamp) {
        let end = self.ends.entry(id).or_insert_with(|| {
            self.order.push_back(id);
            End { born, known_until }
        });
        if born > end.born {
            *end = End { born, known_until };
        } else {
            end.known_until = end.known_until.max(known_until);
        }
        while self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            match self.ends.get(&oldest) {
                Some(end) if end.known_until > now => {
                    self.windows.insert((end.known_until, oldest));
                }
                _ => drop(self.ends.remove(&oldest)),
            }
        }
        while let Some((at, id)) = self.windows.first().copied().filter(|(at, _)| *at <= now) {
            self.windows.remove(&(at, id));
            match self.ends.get(&id) {
                // It ended once more meanwhile.
                Some(end) if end.known_until > now => {
                    self.windows.insert((end.known_until, id));
                }
                _ => drop(self.ends.remove(&id)),
            }
        }
    }

    /// Whether a row of this id and birth repeats a message that is done.
    pub(crate) fn is_repeat(&self, id: Uuid, born: i64) -> bool {
        self.ends
            .get(&id)
            .is_some_and(|end| end.born == born || end.known_until.as_millis() > born / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_ids_outlast_their_number_and_others_do_not() {
        let (now, later) = (Timestamp::from_millis(1000), Timestamp::from_millis(9000));
        let mut finished = Completed::default();
        let (given, fresh) = (Uuid::from_u128(1), Uuid::from_u128(2));
        finished.add(given, 7, later, now);
        finished.add(fresh, 8, Timestamp::EPOCH, now);
        assert!(finished.is_repeat(fresh, 8) && !finished.is_repeat(fresh, 9));
        let more = |from: u128| (from..).take(KEPT).map(Uuid::from_u128);
        for id in more(1000) {
            finished.add(id, 9, Timestamp::EPOCH, now);
        }
        assert!(!finished.is_repeat(fresh, 8));
        assert!(finished.is_repeat(given, 8_000_000) && !finished.is_repeat(given, 9_000_000));
        for id in more(1_000_000) {
            finished.add(id, 9, Timestamp::EPOCH, later);
        }
        assert!(!finished.is_repeat(given, 7));
        assert_eq!(finished.ends.len(), KEPT);
        assert!(finished.windows.is_empty());
    }
}
