//! What this handle enqueued lately, so that a repeated call stores nothing twice.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use longshore_core::{NewMessage, QueueName, Timestamp};
use xxhash_rust::xxh3::Xxh3;

use crate::layout::row::id_bytes;
use crate::sync::locked;

/// At most this many calls are remembered.
const REMEMBERED_MAX: usize = 1024;
/// A call that was answered is recognised for less than this: a program that repeats it did not
/// hear the answer of its own layer. Beyond it fresh ids never come twice.
const ANSWERED: Duration = Duration::from_secs(1);

/// How an earlier call of the same messages went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// Its outcome is unknown: it went to this partition under this number, and the server can
    /// tell whether it arrived.
    Unknown { partition: u16, number: u64 },
    /// It was stored then.
    Stored { at: Timestamp },
}

/// The calls of a handle by a hash of queue and ids.
#[derive(Debug, Default)]
pub(crate) struct RecentCalls(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    calls: HashMap<u64, Earlier>,
    order: VecDeque<u64>,
}

impl RecentCalls {
    pub(crate) fn note(&self, fingerprint: u64, earlier: Earlier) {
        let mut recent = locked(&self.0);
        if recent.calls.insert(fingerprint, earlier).is_none() {
            recent.order.push_back(fingerprint);
        }
        while recent.order.len() > REMEMBERED_MAX {
            if let Some(oldest) = recent.order.pop_front() {
                recent.calls.remove(&oldest);
            }
        }
    }

    pub(crate) fn earlier(&self, fingerprint: u64, now: Timestamp) -> Option<Earlier> {
        let earlier = locked(&self.0).calls.get(&fingerprint).copied()?;
        match earlier {
            Earlier::Stored { at } if now.since(at) >= ANSWERED => None,
            known => Some(known),
        }
    }
}

/// The same messages for the same queue have the same fingerprint.
pub(crate) fn fingerprint(queue: &QueueName, batch: &[NewMessage]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(queue.as_str().as_bytes());
    for new in batch {
        hasher.update(&id_bytes(new.id));
    }
    hasher.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answered_calls_are_forgotten_soon_and_unknown_ones_are_not() {
        let at = Timestamp::from_millis(5_000);
        let recent_calls = RecentCalls::default();
        let unknown = Earlier::Unknown {
            partition: 0,
            number: 7,
        };
        recent_calls.note(1, Earlier::Stored { at });
        recent_calls.note(2, unknown);
        assert_eq!(recent_calls.earlier(1, at), Some(Earlier::Stored { at }));
        let later = at.plus(ANSWERED);
        assert_eq!(
            (
                recent_calls.earlier(1, later),
                recent_calls.earlier(2, later)
            ),
            (None, Some(unknown))
        );
        for call in 10..2_000 {
            recent_calls.note(call, unknown);
        }
        assert_eq!(recent_calls.earlier(2, later), None);
        assert!(locked(&recent_calls.0).calls.len() <= REMEMBERED_MAX);
    }
}
