//! How often in a row a message was put back uncharged.
//!
//! A release gives the attempt back, so the store counts nothing; this process remembers, to
//! let the pauses grow.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use longshore_core::MessageId;

use crate::job::lock;

/// At most this many messages are remembered; the oldest is forgotten first and starts again.
const REMEMBERED_MAX: usize = 10_000;

/// A release for want of a handler waits this long at first, then twice as long each time.
const UNSERVED_DELAY: Duration = Duration::from_secs(5);
const UNSERVED_DELAY_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct Streaks(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    counts: HashMap<MessageId, u32>,
    order: VecDeque<MessageId>,
}

impl Streaks {
    /// How long the streak of a message is.
    pub(crate) fn of(&self, id: MessageId) -> u32 {
        lock(&self.0).counts.get(&id).copied().unwrap_or(0)
    }

    /// Adds one and answers how long the streak was before.
    pub(crate) fn grow(&self, id: MessageId) -> u32 {
        let mut remembered = lock(&self.0);
        if let Some(count) = remembered.counts.get_mut(&id) {
            *count = count.saturating_add(1);
            return *count - 1;
        }
        while remembered.counts.len() >= REMEMBERED_MAX {
            let Some(oldest) = remembered.order.pop_front() else {
                break;
            };
            remembered.counts.remove(&oldest);
        }
        remembered.counts.insert(id, 1);
        remembered.order.push_back(id);
        0
    }

    /// Ends a streak.
    pub(crate) fn end(&self, id: MessageId) {
        let mut remembered = lock(&self.0);
        if remembered.counts.remove(&id).is_some() {
            remembered.order.retain(|other| *other != id);
        }
    }

    /// How long a message waits that no handler takes.
    pub(crate) fn unserved_delay(&self, id: MessageId) -> Duration {
        let before = self.grow(id);
        UNSERVED_DELAY
            .saturating_mul(1 << before.min(6))
            .min(UNSERVED_DELAY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> MessageId {
        MessageId::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn pauses_double_from_five_seconds_to_a_minute() {
        let streaks = Streaks::default();
        let seconds: Vec<u64> = (0..6)
            .map(|_| streaks.unserved_delay(id(1)).as_secs())
            .collect();
        assert_eq!(seconds, [5, 10, 20, 40, 60, 60]);
        streaks.end(id(1));
        assert_eq!(streaks.unserved_delay(id(1)).as_secs(), 5);
    }

    #[test]
    fn it_remembers_a_bounded_number() {
        let streaks = Streaks::default();
        for number in 0..=REMEMBERED_MAX as u128 {
            streaks.grow(id(number));
        }
        assert_eq!(lock(&streaks.0).counts.len(), REMEMBERED_MAX);
        assert_eq!(lock(&streaks.0).order.len(), REMEMBERED_MAX);
        assert_eq!((streaks.of(id(0)), streaks.of(id(1))), (0, 1));
    }
}
