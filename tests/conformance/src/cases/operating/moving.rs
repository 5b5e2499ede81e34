//! The mark of a queue that is being moved away.

use crate::Stage;
use crate::case::cases;
use crate::draft::{messages, secs};
use crate::settling::retry_in;
use crate::stage::bodies;

cases! { "moving";
    18 a_marked_queue_hands_out_nothing,
    18 a_marked_queue_takes_messages_and_settlements,
    18 the_mark_is_seen_by_everyone_with_its_time,
    18 the_mark_and_a_pause_are_apart,
}

/// What is being moved away is handed out in the new place only.
async fn a_marked_queue_hands_out_nothing(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.mark_moving(Some("other")).await;
    stage.nothing().await;
    stage.mark_moving(None).await;
    assert_eq!(bodies(&stage.take(9).await), ["a"]);
}

/// Producers and running jobs go on until they follow.
async fn a_marked_queue_takes_messages_and_settlements(stage: Stage) {
    stage.put(&messages(["a", "b"])).await;
    let taken = stage.take(2).await;
    stage.mark_moving(Some("other")).await;
    stage.put(&messages(["c"])).await;
    stage.ack(&taken[0]).await;
    stage.end(&taken[1], retry_in(5)).await;
    assert_eq!(stage.counts().await, [1, 1, 0, 0]);
}

/// Since when is stamped by the store.
async fn the_mark_is_seen_by_everyone_with_its_time(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.advance(secs(9));
    stage.mark_moving(Some("other in redis://h1")).await;
    let other = stage.subject.reopen().await;
    assert!(stage.take_at(&other, 1).await.is_empty());
    let stats = other.admin.stats(&stage.queue).await.expect("stats");
    let mark = stats.and_then(|stats| stats.moving).expect("it is marked");
    assert_eq!(
        (mark.to.as_str(), mark.since),
        ("other in redis://h1", stage.now())
    );
    stage.mark_moving(None).await;
    assert_eq!(stage.stats().await.moving, None);
}

/// Lifting one leaves the other.
async fn the_mark_and_a_pause_are_apart(stage: Stage) {
    stage.put(&messages(["a"])).await;
    stage.pause().await;
    stage.mark_moving(Some("other")).await;
    stage.mark_moving(None).await;
    stage.nothing().await;
    stage.mark_moving(Some("other")).await;
    assert!(stage.resume().await);
    stage.nothing().await;
    stage.mark_moving(None).await;
    stage.take_one().await;
}
