//! Looking at a shard while its owner moves messages.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Due, MessageId};
use uuid::Uuid;

use super::backlog::{Backlog, QUEUE, dead_lettered};
use crate::shard::Shard;
use crate::shard::load::observer::LOOKS;
use crate::shard::load::window::Window;

/// Looks, and lets something happen before one of the looks.
async fn seen(backlog: &Backlog, owner: &mut Shard, at: usize) -> Vec<u128> {
    let (rows, hybrid) = (backlog.storage.clone(), Arc::default());
    let mut aside = Shard::unread(rows, QUEUE, 0, hybrid, Window::LOOK);
    for (number, kinds) in LOOKS.into_iter().enumerate() {
        if number == at {
            backlog.maintain(owner).await;
        }
        aside.poll(kinds, backlog.now).await.expect("looked");
    }
    let ids = aside.index.entries.keys().map(Uuid::as_u128);
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn what_is_moved_away_meanwhile_is_seen() {
    for at in 0..LOOKS.len() {
        let mut backlog = Backlog::new();
        backlog.store(1, 2, Some("g")).await;
        backlog.store(2, 1, None).await;
        backlog.store_delayed(1, Duration::from_secs(7200)).await;
        let mut owner = backlog.take_over().await;
        for park in [true, false] {
            let taken = backlog.receive(&mut owner, 1).await;
            let how = dead_lettered(backlog.now, park);
            backlog.end(&mut owner, &taken, &how).await;
        }
        let delayed = [MessageId::from_uuid(Uuid::from_u128(4))];
        let later = Due::In(Duration::from_secs(3 * 7200));
        let moved = owner.reschedule(&delayed, later, &backlog.producer, backlog.now);
        moved.await.expect("rescheduled");
        backlog.wait(Duration::from_secs(7200 + 1300));
        let before = backlog.storage.buckets_left();
        assert_eq!(seen(&backlog, &mut owner, at).await, [1, 2, 3, 4], "{at}");
        assert_ne!(backlog.storage.buckets_left(), before, "nothing was moved");
    }
}
