//! Fresh ids that this process stored lately, or tried to: how a repeated call is told.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_core::{MessageId, QueueName};

/// Maximum ids that are remembered.
const KEPT_MAX: usize = 10_000;

type Key = (QueueName, MessageId);

/// A bounded set; the oldest are forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    known: HashMap<Key, Entry>,
    order: VecDeque<Key>,
}

#[derive(Debug)]
struct Entry {
    /// The sequence of its rows. Those of a try whose outcome is unknown may be there, and its
    /// message may have ended since: a row of the same sequence is the same message.
    sequence: i64,
    call: Call,
}

/// A call that stores messages; whether it did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call(Arc<AtomicBool>);

impl Call {
    /// Its messages are stored.
    pub(crate) fn done(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_done(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Recent {
    /// Whether a call of this process stored the message.
    pub(crate) fn knows(&self, queue: &QueueName, id: MessageId) -> bool {
        let kept = self.kept();
        let entry = kept.known.get(&(queue.clone(), id));
        entry.is_some_and(|entry| entry.call.is_done())
    }

    /// The sequence for the row of a message that `call` is about to store: the one of an earlier
    /// try, or `next`.
    pub(crate) fn sequence(
        &self,
        queue: &QueueName,
        id: MessageId,
        call: &Call,
        next: impl FnOnce() -> i64,
    ) -> i64 {
        let mut kept = self.kept();
        let key = (queue.clone(), id);
        if let Some(entry) = kept.known.get_mut(&key) {
            entry.call = call.clone();
            return entry.sequence;
        }
        let sequence = next();
        let call = call.clone();
        kept.known.insert(key.clone(), Entry { sequence, call });
        kept.order.push_back(key);
        if kept.order.len() > KEPT_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.known.remove(&oldest);
        }
        sequence
    }

    /// Forgets messages that are gone: their ids may come again.
    pub(crate) fn forget(&self, queue: &QueueName, ids: impl Iterator<Item = MessageId>) {
        let mut kept = self.kept();
        for id in ids {
            kept.known.remove(&(queue.clone(), id));
        }
    }

    /// Forgets messages that were done. Those of a call without an answer are kept: it may be made
    /// again, and must not bring back what was done meanwhile.
    pub(crate) fn forget_stored(&self, queue: &QueueName, ids: impl Iterator<Item = MessageId>) {
        let mut kept = self.kept();
        for id in ids {
            let key = (queue.clone(), id);
            if kept.known.get(&key).is_some_and(|it| it.call.is_done()) {
                kept.known.remove(&key);
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> MessageId {
        MessageId::from_uuid(uuid::Uuid::now_v7())
    }

    #[test]
    fn a_call_without_an_answer_is_repeated_under_its_sequence() {
        let (queue, id) = (QueueName::new("q").expect("a name"), id());
        let ids = || std::iter::once(id);
        let recent = Recent::default();
        let first = Call::default();
        assert_eq!(recent.sequence(&queue, id, &first, || 7), 7);
        assert!(!recent.knows(&queue, id));
        recent.forget_stored(&queue, ids());
        let second = Call::default();
        assert_eq!(recent.sequence(&queue, id, &second, || 8), 7);
        first.done();
        assert!(!recent.knows(&queue, id));
        second.done();
        assert!(recent.knows(&queue, id));
        recent.forget_stored(&queue, ids());
        assert_eq!(recent.sequence(&queue, id, &first, || 9), 9);
        recent.forget(&queue, ids());
        assert_eq!(recent.sequence(&queue, id, &first, || 10), 10);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let queue = QueueName::new("q").expect("a name");
        let recent = Recent::default();
        let call = Call::default();
        call.done();
        let ids: Vec<_> = (0..=KEPT_MAX).map(|_| id()).collect();
        for id in &ids {
            recent.sequence(&queue, *id, &call, || 1);
        }
        assert!(!recent.knows(&queue, ids[0]) && recent.knows(&queue, ids[1]));
        assert_eq!(recent.kept().known.len(), KEPT_MAX);
    }
}
