//! Times and spans at the ends of what can be said.

use std::time::Duration;

use longshore_core::{Disposition, Due, Receive, Timestamp};

use crate::Stage;
use crate::case::cases;
use crate::draft::{Draft, message, secs};
use crate::settling::record;
use crate::stage::{LEASE, count};

cases! { "extremes";
    6 a_lease_beyond_all_time_ends_with_it,
    6 a_delay_beyond_all_time_ends_with_it,
    6 the_first_moment_is_long_past,
    5 a_dedup_window_beyond_all_time_never_ends,
    15 a_wait_beyond_all_time_ends_with_a_message,
    6 a_year_passes_without_harm,
}

/// Nothing overflows: the end is the last moment there is.
async fn a_lease_beyond_all_time_ends_with_it(stage: Stage) {
    stage.put(&[message("a")]).await;
    let received = stage.receive(1, Duration::MAX).await;
    let taken = &received.deliveries[0];
    assert_eq!(taken.leased_until, Timestamp::MAX);
    let receipts = [taken.receipt.clone()];
    let queues = &stage.store.queues;
    let extended = queues.extend(&stage.queue, &receipts, Duration::MAX).await;
    extended.expect("extend");
    stage.advance(secs(1_000_000_000));
    stage.nothing().await;
    stage.ack(taken).await;
}

/// Of an enqueue, of a retry and of an expiry.
async fn a_delay_beyond_all_time_ends_with_it(stage: Stage) {
    let mut delayed = message("delayed");
    delayed.due = Some(Due::In(Duration::MAX));
    let mut kept = message("kept");
    kept.expires = Some(Due::In(Duration::MAX));
    stage.put(&[delayed.clone(), kept]).await;
    assert_eq!(stage.found(delayed.id).await.due_at, Timestamp::MAX);
    let taken = stage.take_one().await;
    let fate = Disposition::Retry {
        due: Due::In(Duration::MAX),
        record: record("x"),
        checkpoint: None,
    };
    stage.end(&taken, fate).await;
    stage.advance(secs(1_000_000_000));
    assert_eq!(stage.counts().await, [0, 2, 0, 0]);
    stage.nothing().await;
}

/// A due time of 1970 is at once, an expiry of 1970 is over.
async fn the_first_moment_is_long_past(stage: Stage) {
    let mut due = message("due");
    due.due = Some(Due::At(Timestamp::EPOCH));
    let mut expired = message("expired");
    expired.expires = Some(Due::At(Timestamp::EPOCH));
    stage.put(&[due, expired]).await;
    let taken = stage.take(9).await;
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].message.body, "due");
    assert_eq!(stage.counts().await, [0, 0, 1, 1]);
}

/// The key is known forever.
async fn a_dedup_window_beyond_all_time_never_ends(stage: Stage) {
    let mut first = message("first").dedup("k", 1);
    if let Some(dedup) = &mut first.dedup {
        dedup.window = Duration::MAX;
    }
    stage.put(std::slice::from_ref(&first)).await;
    stage.advance(secs(1_000_000_000));
    stage.enqueue(&[message("again").dedup("k", 1)]).await;
    assert_eq!(stage.counts().await, [1, 0, 0, 0]);
}

/// A worker may wait for as long as it takes.
async fn a_wait_beyond_all_time_ends_with_a_message(stage: Stage) {
    let request = Receive {
        batch_max: count(1),
        lease: LEASE,
        wait_max: Duration::MAX,
    };
    let (store, queue) = (stage.store.clone(), stage.queue.clone());
    let task = tokio::spawn(async move { store.queues.receive(&queue, request).await });
    stage.put(&[message("a")]).await;
    let received = task.await.expect("it ends").expect("receive");
    assert_eq!(received.deliveries.len(), 1);
}

/// Leases, windows and workers that ended long ago are no trouble to what comes after.
async fn a_year_passes_without_harm(stage: Stage) {
    stage
        .put(&[message("a").dedup("k", 60), message("b")])
        .await;
    let taken = stage.take(2).await;
    stage.ack(&taken[0]).await;
    stage.advance(secs(365 * 86_400));
    stage.put(&[message("c").dedup("k", 60)]).await;
    let again = stage.take(9).await;
    assert_eq!(again.len(), 2);
    assert_eq!(again[0].attempt, 2);
}
