//! What this handle remembers of queues.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use longshore_core::{QueueName, QueueSettings};

use crate::sync::locked;

/// How long settings are believed after they were read. The contract allows 5 s.
const FRESH: Duration = Duration::from_secs(1);

/// Maximum cached queues; the cache is cleared when full.
const QUEUES_MAX: usize = 10_000;

/// The queues that this handle used lately.
#[derive(Debug, Default)]
pub(crate) struct QueueCache(Mutex<HashMap<QueueName, Cached>>);

#[derive(Debug)]
struct Cached {
    settings: QueueSettings,
    read_at: Instant,
    /// Whether this handle has seen that the queue is listed.
    registered: bool,
}

impl QueueCache {
    /// The settings of a queue, if they were read within the last second.
    pub(crate) fn fresh_settings(&self, queue: &QueueName) -> Option<QueueSettings> {
        let queues = locked(&self.0);
        let cached = queues.get(queue)?;
        (cached.read_at.elapsed() < FRESH).then(|| cached.settings.clone())
    }

    /// Keeps settings that were just read. Whether the queue is listed stays as it was.
    pub(crate) fn keep(&self, queue: &QueueName, settings: QueueSettings) {
        let mut queues = locked(&self.0);
        if queues.len() >= QUEUES_MAX && !queues.contains_key(queue) {
            queues.clear();
        }
        let registered = queues.get(queue).is_some_and(|cached| cached.registered);
        let cached = Cached {
            settings,
            read_at: Instant::now(),
            registered,
        };
        queues.insert(queue.clone(), cached);
    }

    pub(crate) fn is_registered(&self, queue: &QueueName) -> bool {
        let queues = locked(&self.0);
        queues.get(queue).is_some_and(|cached| cached.registered)
    }

    pub(crate) fn set_registered(&self, queue: &QueueName) {
        if let Some(cached) = locked(&self.0).get_mut(queue) {
            cached.registered = true;
        }
    }

    pub(crate) fn forget(&self, queue: &QueueName) {
        locked(&self.0).remove(queue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_cleared_when_full_and_knows_what_is_listed_until_then() {
        let cache = QueueCache::default();
        let queue = |number: usize| QueueName::new(format!("q{number}")).unwrap();
        cache.keep(&queue(0), QueueSettings::default());
        assert!(!cache.is_registered(&queue(0)));
        cache.set_registered(&queue(0));
        // Settings that are read again say nothing about the list.
        cache.keep(&queue(0), QueueSettings::default());
        assert!(cache.is_registered(&queue(0)));
        for number in 1..QUEUES_MAX {
            cache.keep(&queue(number), QueueSettings::default());
        }
        assert!(cache.is_registered(&queue(0)));
        cache.keep(&queue(QUEUES_MAX), QueueSettings::default());
        assert!(!cache.is_registered(&queue(0)));
        assert!(cache.fresh_settings(&queue(0)).is_none());
        assert!(cache.fresh_settings(&queue(QUEUES_MAX)).is_some());
        cache.forget(&queue(QUEUES_MAX));
        assert!(cache.fresh_settings(&queue(QUEUES_MAX)).is_none());
    }
}
