//! Messages that lie far behind what is in memory, and that operators want handed out now.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Changed, Due, MessageId};
use uuid::Uuid;

use super::backlog::{Backlog, WINDOW, dead_lettered, numbers};

/// More than are kept of dead letters, and of messages that are due later.
const FAR: usize = 4 * WINDOW.far;

/// The last one.
const LAST: u128 = FAR as u128;

fn id() -> MessageId {
    MessageId::from_uuid(Uuid::from_u128(LAST))
}

#[tokio::test]
async fn the_next_owner_hands_out_what_was_redriven() {
    let mut backlog = Backlog::new();
    backlog.store(1, FAR, None).await;
    let mut shard = backlog.take_over().await;
    let dead = dead_lettered(backlog.now, false);
    let mut all = 0;
    while all < FAR {
        let taken = backlog.receive(&mut shard, 50).await;
        all += taken.len();
        backlog.end(&mut shard, &taken, &dead).await;
    }
    // They move to the bucket of their day.
    for _ in 0..4 {
        backlog.wait(Duration::from_secs(700));
        backlog.maintain(&mut shard).await;
    }
    let mut shard = backlog.take_over().await;
    let found = shard.reach(&[id().as_uuid()], backlog.now).await;
    assert!(found.expect("looked"));
    let redriven = shard.redrive(&[id()], &backlog.producer, backlog.now).await;
    assert_eq!(redriven.expect("redriven"), [Changed::Applied]);
    let taken = {
        let mut next = backlog.take_over().await;
        backlog.receive(&mut next, 9).await
    };
    assert_eq!(numbers(&taken), [LAST]);
    assert_eq!(taken[0].attempt, 1);
}

#[tokio::test]
async fn the_next_owner_hands_out_what_is_due_earlier_now() {
    let mut backlog = Backlog::new();
    let later = Duration::from_secs(7200);
    backlog.store_delayed(FAR, later).await;
    let mut shard = backlog.take_over().await;
    let found = shard.reach(&[id().as_uuid()], backlog.now).await;
    assert!(found.expect("looked"));
    let now = Due::At(backlog.now);
    let moved = shard
        .reschedule(&[id()], now, &backlog.producer, backlog.now)
        .await;
    assert_eq!(moved.expect("rescheduled"), [Changed::Applied]);
    let mut next = backlog.take_over().await;
    assert_eq!(numbers(&backlog.receive(&mut next, 9).await), [LAST]);
    assert!(backlog.receive(&mut next, 9).await.is_empty());
}

/// Both rows lie in the same bucket, and each process begins to count with the millisecond.
#[tokio::test]
async fn what_two_processes_move_in_the_same_millisecond_lies_in_two_rows() {
    let mut backlog = Backlog::new();
    backlog.store(1, 1, Some("g")).await;
    let mut shard = backlog.take_over().await;
    let taken = backlog.receive(&mut shard, 1).await;
    let parked = dead_lettered(backlog.now, true);
    backlog.end(&mut shard, &taken, &parked).await;
    backlog.wait(Duration::from_secs(3600));
    backlog.maintain(&mut shard).await;
    backlog.hybrid = Arc::default();
    let mut shard = backlog.take_over().await;
    let id = taken[0].message.id;
    let redriven = shard.redrive(&[id], &backlog.producer, backlog.now).await;
    assert_eq!(redriven.expect("redriven"), [Changed::Applied]);
    let mut next = backlog.take_over().await;
    assert_eq!(numbers(&backlog.receive(&mut next, 9).await), [1]);
}
