//! Fresh ids that this process stored lately: how a repeated call is told.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use longshore_core::{MessageId, QueueName};

/// Maximum ids that are remembered.
const KEPT_MAX: usize = 10_000;

/// A bounded set; the oldest are forgotten first.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    known: HashSet<(QueueName, MessageId)>,
    order: VecDeque<(QueueName, MessageId)>,
}

impl Recent {
    pub(crate) fn knows(&self, queue: &QueueName, id: MessageId) -> bool {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.known.contains(&(queue.clone(), id))
    }

    pub(crate) fn add(&self, queue: &QueueName, ids: impl Iterator<Item = MessageId>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            let key = (queue.clone(), id);
            if kept.known.insert(key.clone()) {
                kept.order.push_back(key);
            }
            if kept.order.len() > KEPT_MAX
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.known.remove(&oldest);
            }
        }
    }

    /// Forgets messages that are gone: their ids may come again.
    pub(crate) fn forget(&self, queue: &QueueName, ids: impl Iterator<Item = MessageId>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            kept.known.remove(&(queue.clone(), id));
        }
    }
}
