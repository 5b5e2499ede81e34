//! What this handle enqueued lately, so that a repeated call stores nothing twice.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use longshore_core::{NewMessage, QueueName, Timestamp};
use xxhash_rust::xxh3::Xxh3;

use crate::layout::row::id_bytes;

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
pub(crate) struct Pending {
    calls: HashMap<u64, Earlier>,
    order: VecDeque<u64>,
}

impl Pending {
    pub(crate) fn note(&mut self, fingerprint: u64, earlier: Earlier) {
        if self.calls.insert(fingerprint, earlier).is_none() {
            self.order.push_back(fingerprint);
        }
        while self.order.len() > REMEMBERED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.calls.remove(&oldest);
            }
        }
    }

    pub(crate) fn earlier(&self, fingerprint: u64, now: Timestamp) -> Option<Earlier> {
        let earlier = self.calls.get(&fingerprint).copied()?;
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
        let mut pending = Pending::default();
        let unknown = Earlier::Unknown {
            partition: 0,
            number: 7,
        };
        pending.note(1, Earlier::Stored { at });
        pending.note(2, unknown);
        assert_eq!(pending.earlier(1, at), Some(Earlier::Stored { at }));
        let later = at.plus(ANSWERED);
        assert_eq!(
            (pending.earlier(1, later), pending.earlier(2, later)),
            (None, Some(unknown))
        );
        for call in 10..2_000 {
            pending.note(call, unknown);
        }
        assert_eq!(pending.earlier(2, later), None);
        assert!(pending.calls.len() <= REMEMBERED_MAX);
    }
}
