//! What this process heard of its shards since it looked at them last.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::protocol::storage::{Bucket, MessageRow, Notification, NotificationKind};
use crate::shard::load::catch_up::News;

/// Maximum messages and bytes of a shard that are passed on in memory; more are read again from
/// their rows.
const ARRIVED_MAX: usize = 2000;
const ARRIVED_BYTES: usize = 8 * 1024 * 1024;

/// The memory of notifications.
#[derive(Debug, Default)]
pub(crate) struct Doorbells {
    tokens: Mutex<HashMap<Key, Uuid>>,
    news: Mutex<HashMap<(Uuid, i32), News>>,
}

type Key = (Uuid, i32, i8, NotificationKind);

impl Doorbells {
    /// Hears notifications. Answers those that are new.
    pub(crate) fn hear(&self, notifications: Vec<Notification>) -> Vec<Notification> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = notifications;
        fresh.retain(|ring| {
            let key = (ring.queue, ring.shard, ring.kind, ring.what);
            tokens.insert(key, ring.token) != Some(ring.token)
        });
        drop(tokens);
        for ring in &fresh {
            match ring.what {
                NotificationKind::Messages => self.note(ring.queue, ring.shard, |news| {
                    news.kinds.insert(ring.kind);
                }),
                NotificationKind::Events => {
                    self.note(ring.queue, ring.shard, |news| news.events = true);
                }
                NotificationKind::Wanted => {}
            }
        }
        fresh
    }

    /// Notes that this process stored messages.
    pub(crate) fn arrived(&self, bucket: Bucket, rows: Vec<MessageRow>) {
        let stream = bucket.stream;
        self.note(stream.queue, stream.shard, |news| {
            let bytes = rows.iter().map(|row| row.head.len() + row.body.len());
            let bytes = news.arrived_bytes + bytes.sum::<usize>();
            if news.arrived.len() + rows.len() > ARRIVED_MAX || bytes > ARRIVED_BYTES {
                news.kinds.insert(stream.kind);
            } else {
                news.arrived_bytes = bytes;
                news.arrived
                    .extend(rows.into_iter().map(|row| (bucket, row)));
            }
        });
    }

    fn note(&self, queue: Uuid, shard: i32, note: impl FnOnce(&mut News)) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        note(news.entry((queue, shard)).or_default());
    }

    /// Whether something new was heard of a shard.
    pub(crate) fn has_news(&self, queue: Uuid, shard: i32) -> bool {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        news.contains_key(&(queue, shard))
    }

    /// Whether this process stored members of groups in a shard: what others stored before goes
    /// before them, and may not have been heard of.
    pub(crate) fn has_grouped(&self, queue: Uuid, shard: i32) -> bool {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let news = news.get(&(queue, shard));
        news.is_some_and(|news| news.arrived.iter().any(|(_, row)| row.group.is_some()))
    }

    /// Takes the news of a shard.
    pub(crate) fn take(&self, queue: Uuid, shard: i32) -> Option<News> {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        news.remove(&(queue, shard))
    }
}
