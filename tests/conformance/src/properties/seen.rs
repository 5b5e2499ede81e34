//! Everything that can be seen of a queue, in a form that two stores can be compared by.

use std::collections::BTreeMap;

use longshore_core::{
    Backend, Cursor, DeadReason, LeaseUnit, MessageId, MessageState, QueueName, QueueStats,
    StoreLimits, StoredMessage,
};

use crate::stage::count;

/// A queue as operators see it. The order of the lists is not part of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    pub(super) stats: Option<QueueStats>,
    pub(super) live: BTreeMap<MessageId, StoredMessage>,
    pub(super) dead: BTreeMap<MessageId, StoredMessage>,
}

impl Seen {
    pub(super) async fn of(store: &Backend, queue: &QueueName) -> Self {
        let mut seen = Self {
            stats: store.admin.stats(queue).await.expect("stats"),
            ..Self::default()
        };
        if let Some(stats) = &mut seen.stats {
            // How old a message that was moved here is, each store sees in its own way.
            stats.oldest_age = None;
            stats.exact = true;
        }
        let mut after: Option<Cursor> = None;
        loop {
            let page = store.admin.peek(queue, after.as_ref(), count(7)).await;
            let page = page.expect("peek");
            for one in page.items {
                assert!(seen.live.insert(one.id(), one).is_none(), "listed twice");
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        loop {
            let page = store.admin.dead_letters(queue, after.as_ref(), count(7));
            let page = page.await.expect("dead_letters");
            for one in page.items {
                let one = without_store_words(one);
                assert!(seen.dead.insert(one.id(), one).is_none(), "dead twice");
            }
            after = page.next;
            if after.is_none() {
                return seen;
            }
        }
    }
}

impl Seen {
    /// A store whose lanes are streams tells the age of what comes first there. A successor in a
    /// group that was admitted later may be older.
    pub(super) fn forgive(&self, got: &mut Self, limits: &StoreLimits) {
        let (Some(wanted), Some(got)) = (&self.stats, &mut got.stats) else {
            return;
        };
        let both = wanted.oldest_age.is_some() && got.oldest_age.is_some();
        if limits.lease_unit == LeaseUnit::Receive && both && got.oldest_age < wanted.oldest_age {
            got.oldest_age = wanted.oldest_age;
        }
    }
}

/// Drops what a store says in its own words.
pub(super) fn without_store_words(mut stored: StoredMessage) -> StoredMessage {
    if let MessageState::Dead(mark) = &mut stored.state
        && matches!(mark.reason, DeadReason::Expired | DeadReason::Damaged)
    {
        mark.error = None;
    }
    stored
}
